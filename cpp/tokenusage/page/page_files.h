// SPDX-License-Identifier: Apache-2.0

// The files of this folder that the page is made of; BUILD.bazel embeds them.

#ifndef TOKENUSAGE_PAGE_PAGE_FILES_H_
#define TOKENUSAGE_PAGE_PAGE_FILES_H_

namespace tokenusage {

extern const char kPageFrame[];   // page.html
extern const char kPageStyle[];   // style.css
extern const char kPageScript[];  // the .js files, joined

}  // namespace tokenusage

#endif  // TOKENUSAGE_PAGE_PAGE_FILES_H_
