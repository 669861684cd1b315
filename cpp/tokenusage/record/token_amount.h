// SPDX-License-Identifier: Apache-2.0

// Exact sums of token counts.
//
// Sums of doubles depend on their order and drift. A TokenAmount is a
// fixed-point number of nano-tokens (1e-9 token) in 128 bits: a count becomes
// one once, on the way in, and from then on only whole numbers are added.
//
//   TokenAmount sum = TokenAmount::FromCount(8105.75);
//   sum += TokenAmount::FromCount(100);
//   sum.ToDecimal();  // "8205.75"
//   sum.ToDouble();   // 8205.75

#ifndef TOKENUSAGE_RECORD_TOKEN_AMOUNT_H_
#define TOKENUSAGE_RECORD_TOKEN_AMOUNT_H_

#include <string>

#include "absl/numeric/int128.h"

namespace tokenusage {

// The largest token count of a record: 2^53, the end of the range in which
// doubles hold every whole number.
inline constexpr double kMaxTokenCount = 9007199254740992.0;

// An exact, non-negative amount of tokens. A value type of 16 bytes.
//
// Range: up to 2^127 - 1 nano-tokens, which is more than 10^13 records of 2^53
// tokens each.
class TokenAmount {
 public:
  // Zero tokens.
  constexpr TokenAmount() = default;

  // From a count of nano-tokens.
  static constexpr TokenAmount FromNanos(absl::int128 nanos) {
    return TokenAmount(nanos);
  }

  // From a token count: the shortest decimal that reads back to `count`,
  // rounded half to even to nine decimals if it has more. `count` must be
  // finite and from 0 to kMaxTokenCount.
  static TokenAmount FromCount(double count);

  constexpr absl::int128 nanos() const { return nanos_; }

  // Returns the double nearest to the amount, ties to even.
  double ToDouble() const;

  // Returns the amount as a decimal: at most nine decimals, no exponent, no
  // trailing zeros: "8205.75", "100", "0".
  std::string ToDecimal() const;

  TokenAmount& operator+=(TokenAmount other) {
    nanos_ += other.nanos_;
    return *this;
  }

  friend constexpr bool operator==(TokenAmount a, TokenAmount b) {
    return a.nanos_ == b.nanos_;
  }
  friend constexpr bool operator!=(TokenAmount a, TokenAmount b) {
    return a.nanos_ != b.nanos_;
  }

 private:
  explicit constexpr TokenAmount(absl::int128 nanos) : nanos_(nanos) {}

  absl::int128 nanos_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_TOKEN_AMOUNT_H_
