// SPDX-License-Identifier: Apache-2.0

// This build's version.

#ifndef TOKENUSAGE_CLI_VERSION_H_
#define TOKENUSAGE_CLI_VERSION_H_

namespace tokenusage {

// The version in MODULE.bazel: "0.1.0".
extern const char kVersion[];

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_VERSION_H_
