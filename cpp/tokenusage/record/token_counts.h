// SPDX-License-Identifier: Apache-2.0

// The token counts that every kind of usage is reduced to for totals.
//
//   TokenCounts counts = CountsOf(record);
//   if (counts[TokenMeasure::kOutput]) sum += *counts[TokenMeasure::kOutput];

#ifndef TOKENUSAGE_RECORD_TOKEN_COUNTS_H_
#define TOKENUSAGE_RECORD_TOKEN_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tokenusage/record/token_amount.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// What is counted, in the order of the fields of tokenusage.v1.UsageTotals.
enum class TokenMeasure : std::uint8_t {
  kTotal,
  kInput,
  kOutput,
  kInputText,
  kInputImage,
};

inline constexpr std::size_t kTokenMeasureCount = 5;

inline constexpr std::array<TokenMeasure, kTokenMeasureCount> kTokenMeasures = {
    TokenMeasure::kTotal, TokenMeasure::kInput, TokenMeasure::kOutput,
    TokenMeasure::kInputText, TokenMeasure::kInputImage};

// The fields of tokenusage.v1.UsageTotals, by TokenMeasure.
inline constexpr std::array<const char*, kTokenMeasureCount>
    kTokenMeasureNames = {"total_tokens", "input_tokens", "output_tokens",
                          "input_text_tokens", "input_image_tokens"};

// One amount per measure; empty where the usage carries no such count. A value
// type.
class TokenCounts {
 public:
  std::optional<TokenAmount>& operator[](TokenMeasure measure) {
    return amounts_[static_cast<std::size_t>(measure)];
  }
  const std::optional<TokenAmount>& operator[](TokenMeasure measure) const {
    return amounts_[static_cast<std::size_t>(measure)];
  }

  // Adds measure by measure; a measure stays empty while no part carries it.
  void Add(const TokenCounts& other) {
    for (TokenMeasure measure : kTokenMeasures) {
      const std::optional<TokenAmount>& part = other[measure];
      if (!part) continue;
      std::optional<TokenAmount>& sum = (*this)[measure];
      sum ? * sum += *part : *(sum = TokenAmount()) += *part;
    }
  }

  friend bool operator==(const TokenCounts& a, const TokenCounts& b) {
    return a.amounts_ == b.amounts_;
  }

 private:
  std::array<std::optional<TokenAmount>, kTokenMeasureCount> amounts_;
};

// A sum over records.
struct UsageSum {
  std::int64_t record_count = 0;
  TokenCounts counts;

  void Add(const UsageSum& other) {
    record_count += other.record_count;
    counts.Add(other.counts);
  }

  friend bool operator==(const UsageSum& a, const UsageSum& b) {
    return a.record_count == b.record_count && a.counts == b.counts;
  }
};

// The counts of a record's usage; all empty where it holds no usage that this
// schema knows. The counts that are set must be finite and from 0 to
// kMaxTokenCount: see CheckRecord. Thread-safe.
TokenCounts CountsOf(const v1::UsageRecord& record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_TOKEN_COUNTS_H_
