// SPDX-License-Identifier: Apache-2.0

// CRC-32C, the checksum that processors have an instruction for.
//
//   std::uint32_t checksum = Crc32c(record);
//   checksum = Crc32c(header, checksum);  // of the record, then the header

#ifndef TOKENUSAGE_CLIENT_SPOOL_CRC32C_H_
#define TOKENUSAGE_CLIENT_SPOOL_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace tokenusage {

// Returns the checksum of all bytes up to the end of `bytes`. `previous` is the
// checksum of the bytes before them: 0 if there are none. Thread-safe.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous = 0);

// Returns the same from a table, for processors without the instruction and for
// tests.
std::uint32_t Crc32cByTable(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_SPOOL_CRC32C_H_
