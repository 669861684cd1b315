// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/amount_blob.h"

#include <cstddef>
#include <cstdint>

#include "absl/numeric/int128.h"

namespace tokenusage {

namespace {

constexpr std::size_t kHalf = kAmountBlobBytes / 2;

// Two 64-bit halves: cheaper than 128-bit shifts.
void StoreBigEndian(std::uint64_t value, char* bytes) {
  for (std::size_t i = 0; i < kHalf; ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (kHalf - 1 - i)));
  }
}

std::uint64_t LoadBigEndian(const char* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kHalf; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i]))
             << (8 * (kHalf - 1 - i));
  }
  return value;
}

}  // namespace

AmountBlob EncodeAmount(TokenAmount amount) {
  const auto nanos = static_cast<absl::uint128>(amount.nanos());
  AmountBlob blob;
  StoreBigEndian(absl::Uint128High64(nanos), blob.data());
  StoreBigEndian(absl::Uint128Low64(nanos), blob.data() + kHalf);
  return blob;
}

std::optional<TokenAmount> DecodeAmount(std::string_view blob) {
  if (blob.size() != kAmountBlobBytes) return std::nullopt;
  const absl::uint128 nanos = absl::MakeUint128(
      LoadBigEndian(blob.data()), LoadBigEndian(blob.data() + kHalf));
  return TokenAmount::FromNanos(static_cast<absl::int128>(nanos));
}

}  // namespace tokenusage
