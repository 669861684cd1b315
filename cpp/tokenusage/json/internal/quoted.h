// SPDX-License-Identifier: Apache-2.0
//
// Writes text as a JSON string.
//
//   std::string line = "{\"message\":";
//   AppendQuoted("a \"word\"", &line);

#ifndef TOKENUSAGE_JSON_INTERNAL_QUOTED_H_
#define TOKENUSAGE_JSON_INTERNAL_QUOTED_H_

#include <string>
#include <string_view>

namespace tokenusage {
namespace json_internal {

// Appends `text`, which is UTF-8, in quotes, with only those characters escaped
// that must be: quote, backslash, U+0000-001F. Thread-safe.
void AppendQuoted(std::string_view text, std::string* out);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_QUOTED_H_
