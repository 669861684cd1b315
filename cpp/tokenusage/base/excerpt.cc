// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/excerpt.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace {

std::string EscapeControl(unsigned int code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  return absl::StrCat("\\u", absl::Hex(code, absl::kZeroPad4));
}

}  // namespace

std::string Excerpt(std::string_view text, std::size_t max_chars) {
  std::string out;
  for (std::size_t chars = 0; !text.empty(); ++chars) {
    if (chars == max_chars) return out + "...";
    const std::size_t length = Utf8CharLength(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      absl::StrAppend(&out, "\\x", absl::Hex(lead, absl::kZeroPad2));
    } else if (length == 1 && (lead < 0x20 || lead == 0x7F)) {
      out += EscapeControl(lead);
    } else if (lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
      out += EscapeControl(static_cast<unsigned char>(text[1]));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace tokenusage
