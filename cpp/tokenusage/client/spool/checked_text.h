// SPDX-License-Identifier: Apache-2.0

// Small text files that end with a checksum.
//
//   file->WriteAt(0, AddChecksum("acknowledged 17\n"));
//   std::optional<std::string> text = TakeChecksum(content);

#ifndef TOKENUSAGE_CLIENT_SPOOL_CHECKED_TEXT_H_
#define TOKENUSAGE_CLIENT_SPOOL_CHECKED_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace tokenusage {

// Returns the text with a line "crc32c HEX" after it.
std::string AddChecksum(std::string_view text);

// Returns the text before the checksum's line; nullopt if the checksum is not
// that of the text.
std::optional<std::string> TakeChecksum(std::string_view content);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_SPOOL_CHECKED_TEXT_H_
