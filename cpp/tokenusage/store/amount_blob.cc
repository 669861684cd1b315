#include "tokenusage/store/amount_blob.h"

#include "absl/numeric/int128.h"

namespace tokenusage {

AmountBlob EncodeAmount(TokenAmount amount) {
  auto rest = static_cast<absl::uint128>(amount.nanos());
  AmountBlob blob;
  for (std::size_t i = kAmountBlobBytes; i-- > 0; rest >>= 8) {
    blob[i] = static_cast<char>(absl::Uint128Low64(rest) & 0xFF);
  }
  return blob;
}

std::optional<TokenAmount> DecodeAmount(std::string_view blob) {
  if (blob.size() != kAmountBlobBytes) return std::nullopt;
  absl::uint128 nanos = 0;
  for (const char byte : blob) {
    nanos = (nanos << 8) | static_cast<unsigned char>(byte);
  }
  return TokenAmount::FromNanos(static_cast<absl::int128>(nanos));
}

}  // namespace tokenusage
