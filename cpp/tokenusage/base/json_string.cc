// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/json_string.h"

#include <cstddef>

namespace tokenusage {
namespace {

// Appends the escape of a quote, a backslash or one of U+0000-001F.
void AppendEscape(char c, std::string* out) {
  // The letters after the backslash, indexed by control character.
  constexpr std::string_view kLetters = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";
  constexpr char kHexDigits[] = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(c);
  const char letter = code < kLetters.size() ? kLetters[code] : c;
  out->push_back('\\');
  out->push_back(letter);
  if (letter != 'u') return;
  out->append("00");
  out->push_back(kHexDigits[code >> 4]);
  out->push_back(kHexDigits[code & 0xF]);
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  std::size_t run = 0;  // the start of the text that is not appended yet
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) {
      continue;
    }
    out->append(text.substr(run, i - run));
    AppendEscape(c, out);
    run = i + 1;
  }
  out->append(text.substr(run));
  out->push_back('"');
}

void AppendJsonMember(std::string_view name, std::string_view value,
                      std::string* object) {
  if (object->back() != '{') object->push_back(',');
  AppendJsonString(name, object);
  object->push_back(':');
  AppendJsonString(value, object);
}

}  // namespace tokenusage
