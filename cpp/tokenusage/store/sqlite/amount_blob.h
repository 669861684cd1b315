// SPDX-License-Identifier: Apache-2.0

// The encoding of token amounts in SQLite: 16 bytes, two's complement, the most
// significant byte first.

#ifndef TOKENUSAGE_STORE_SQLITE_AMOUNT_BLOB_H_
#define TOKENUSAGE_STORE_SQLITE_AMOUNT_BLOB_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tokenusage/record/token_amount.h"

namespace tokenusage {

inline constexpr std::size_t kAmountBlobBytes = 16;

using AmountBlob = std::array<char, kAmountBlobBytes>;

AmountBlob EncodeAmount(TokenAmount amount);

// Returns nullopt unless `blob` has kAmountBlobBytes bytes.
std::optional<TokenAmount> DecodeAmount(std::string_view blob);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_AMOUNT_BLOB_H_
