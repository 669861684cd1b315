// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/excerpt.h"

#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace {

void AppendHex(unsigned int value, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back("0123456789abcdef"[(value >> shift) & 0xF]);
  }
}

void AppendControl(unsigned int code, std::string* out) {
  switch (code) {
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      *out += "\\u";
      AppendHex(code, 4, out);
  }
}

}  // namespace

std::string Excerpt(std::string_view text, std::size_t max_chars) {
  std::string out;
  for (std::size_t chars = 0; !text.empty(); ++chars) {
    if (chars == max_chars) return out + "...";
    const std::size_t length = Utf8CharLength(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\\x";
      AppendHex(lead, 2, &out);
    } else if (length == 1 && (lead < 0x20 || lead == 0x7F)) {
      AppendControl(lead, &out);
    } else if (lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
      AppendControl(static_cast<unsigned char>(text[1]), &out);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace tokenusage
