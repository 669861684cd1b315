// SPDX-License-Identifier: Apache-2.0

// Writes text as a JSON string.
//
//   std::string line = "{\"message\":";
//   AppendJsonString("a \"word\"", &line);

#ifndef TOKENUSAGE_BASE_JSON_STRING_H_
#define TOKENUSAGE_BASE_JSON_STRING_H_

#include <string>
#include <string_view>

namespace tokenusage {

// Appends `text`, which is UTF-8, in quotes, with only those characters escaped
// that must be: quote, backslash, U+0000-001F. Thread-safe.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_JSON_STRING_H_
