// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/checked_text.h"

#include "absl/strings/str_format.h"
#include "tokenusage/client/spool/crc32c.h"

namespace tokenusage {
namespace {

constexpr std::size_t kChecksumLineBytes = sizeof("crc32c 01234567\n") - 1;

}  // namespace

std::string AddChecksum(std::string_view text) {
  return absl::StrFormat("%scrc32c %08x\n", text, Crc32c(text));
}

std::optional<std::string> TakeChecksum(std::string_view content) {
  if (content.size() < kChecksumLineBytes) return std::nullopt;
  std::string text(content.substr(0, content.size() - kChecksumLineBytes));
  if (AddChecksum(text) != content) return std::nullopt;
  return text;
}

}  // namespace tokenusage
