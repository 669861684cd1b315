// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/checked_text.h"

#include <zlib.h>

#include "absl/strings/str_format.h"

namespace tokenusage {
namespace {

constexpr std::size_t kChecksumLineBytes = sizeof("crc32 01234567\n") - 1;

}  // namespace

std::string AddChecksum(std::string_view text) {
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(text.data()),
                          static_cast<uInt>(text.size()));
  return absl::StrFormat("%scrc32 %08x\n", text, sum);
}

std::optional<std::string> TakeChecksum(std::string_view content) {
  if (content.size() < kChecksumLineBytes) return std::nullopt;
  std::string text(content.substr(0, content.size() - kChecksumLineBytes));
  if (AddChecksum(text) != content) return std::nullopt;
  return text;
}

}  // namespace tokenusage
