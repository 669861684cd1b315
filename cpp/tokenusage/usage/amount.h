// SPDX-License-Identifier: Apache-2.0

// Exact sums of counts.
//
// Sums of doubles depend on their order and drift. An Amount is a fixed-point
// number of pico-units (1e-12) in 128 bits: a count is converted once, on the
// way in, and from then on only whole numbers are added.
//
//   Amount sum = Amount::FromCount(8105.75);
//   sum += Amount::FromInteger(100);
//   sum.ToDecimal();  // "8205.75"
//   sum.ToDouble();   // 8205.75

#ifndef TOKENUSAGE_USAGE_AMOUNT_H_
#define TOKENUSAGE_USAGE_AMOUNT_H_

#include <cstdint>
#include <string>

#include "absl/numeric/int128.h"

namespace tokenusage {

// The largest count of a usage: 2^53, the end of the range in which doubles
// hold every whole number.
inline constexpr double kMaxCount = 9007199254740992.0;

// An exact amount of tokens, seconds, US dollars or whatever else a measure
// counts. Negative only as a difference. A value type of 16 bytes.
//
// Range: up to 2^127 - 1 pico-units, which is more than 10^10 counts of 2^53.
class Amount {
 public:
  // Creates a zero amount.
  constexpr Amount() = default;

  // Returns the amount of `picos` pico-units.
  static constexpr Amount FromPicos(absl::int128 picos) {
    return Amount(picos);
  }

  // Returns the amount of a count, which must be from 0 to kMaxCount.
  static Amount FromInteger(std::int64_t count) {
    return Amount(absl::int128(count) * kPicosPerUnit);
  }

  // Returns the amount of a count, which must be finite and from 0 to
  // kMaxCount: the shortest decimal that reads back to it, rounded half to even
  // to twelve decimals if it has more.
  static Amount FromCount(double count) {
    // A whole number up to 2^53 is its own shortest decimal: the next shorter
    // ones are multiples of ten, and thus other numbers.
    const auto whole = static_cast<std::int64_t>(count);
    if (static_cast<double>(whole) == count) return FromInteger(whole);
    return FromFraction(count);
  }

  constexpr absl::int128 picos() const { return picos_; }

  // Returns the double nearest to the amount, ties to even. The amount must not
  // be negative.
  double ToDouble() const;

  // Returns the amount as a decimal: at most twelve decimals, no exponent, no
  // trailing zeros: "8205.75", "100", "0", "-0.5".
  std::string ToDecimal() const;

  Amount& operator+=(Amount other) {
    picos_ += other.picos_;
    return *this;
  }

  friend Amount operator+(Amount a, Amount b) {
    return Amount(a.picos_ + b.picos_);
  }
  friend constexpr Amount operator-(Amount a) { return Amount(-a.picos_); }
  friend constexpr bool operator==(Amount a, Amount b) {
    return a.picos_ == b.picos_;
  }
  friend constexpr bool operator!=(Amount a, Amount b) {
    return a.picos_ != b.picos_;
  }
  friend constexpr bool operator<(Amount a, Amount b) {
    return a.picos_ < b.picos_;
  }

 private:
  static constexpr std::int64_t kPicosPerUnit = 1'000'000'000'000;

  explicit constexpr Amount(absl::int128 picos) : picos_(picos) {}

  static Amount FromFraction(double count);

  absl::int128 picos_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_AMOUNT_H_
