// SPDX-License-Identifier: Apache-2.0

// Writes text as JSON strings.
//
//   std::string line = "{";
//   AppendJsonMember("message", "a \"word\"", &line);
//   line += "}";

#ifndef TOKENUSAGE_BASE_JSON_STRING_H_
#define TOKENUSAGE_BASE_JSON_STRING_H_

#include <string>
#include <string_view>

namespace tokenusage {

// Appends `text`, which is UTF-8, in quotes, with only those characters escaped
// that must be: quote, backslash, U+0000-001F. Thread-safe.
void AppendJsonString(std::string_view text, std::string* out);

// Appends a member whose value is a string to an object that lacks its closing
// brace, after a comma unless it is the first member. Thread-safe.
void AppendJsonMember(std::string_view name, std::string_view value,
                      std::string* object);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_JSON_STRING_H_
