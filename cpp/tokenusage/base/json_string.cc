// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/json_string.h"

#include <cstddef>

namespace tokenusage {
namespace {

void AppendEscape(char c, std::string* out) {
  out->push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out->push_back(c);
      return;
    case '\b':
      out->push_back('b');
      return;
    case '\f':
      out->push_back('f');
      return;
    case '\n':
      out->push_back('n');
      return;
    case '\r':
      out->push_back('r');
      return;
    case '\t':
      out->push_back('t');
      return;
    default:
      out->append("u00");
      out->push_back("0123456789abcdef"[c >> 4]);
      out->push_back("0123456789abcdef"[c & 0xF]);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  std::size_t run = 0;  // where the text starts that is not appended yet
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

}  // namespace tokenusage
