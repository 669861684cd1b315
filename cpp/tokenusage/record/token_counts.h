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

// One amount per measure; empty if the usage carries no such count. A value
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

// Calls `visit(measure, is_set, count)` with every count that totals sum up,
// each field of the record's usage once; `count` is 0 if it is not set. Does
// nothing for a usage that this schema does not know. Thread-safe.
template <typename Visitor>
void ForEachCount(const v1::UsageRecord& record, const Visitor& visit);

// Returns the counts of a record's usage. The counts that are set must be
// finite and from 0 to kMaxTokenCount: see CheckRecord. Thread-safe.
TokenCounts CountsOf(const v1::UsageRecord& record);

// ----------------------------------------------------- Implementation details

namespace record_internal {

// For the usage messages of image endpoints.
template <typename Usage, typename Visitor>
void ForEachImagesCount(const Usage& usage, const Visitor& visit) {
  const auto& details = usage.input_tokens_details();
  visit(TokenMeasure::kTotal, usage.has_total_tokens(), usage.total_tokens());
  visit(TokenMeasure::kInput, usage.has_input_tokens(), usage.input_tokens());
  visit(TokenMeasure::kOutput, usage.has_output_tokens(),
        usage.output_tokens());
  visit(TokenMeasure::kInputText, details.has_text_tokens(),
        details.text_tokens());
  visit(TokenMeasure::kInputImage, details.has_image_tokens(),
        details.image_tokens());
}

}  // namespace record_internal

template <typename Visitor>
void ForEachCount(const v1::UsageRecord& record, const Visitor& visit) {
  switch (record.usage_case()) {
    case v1::UsageRecord::kImagesEdits:
      return record_internal::ForEachImagesCount(record.images_edits(), visit);
    case v1::UsageRecord::kImagesVariations:
      return record_internal::ForEachImagesCount(record.images_variations(),
                                                 visit);
    case v1::UsageRecord::USAGE_NOT_SET:
      return;
  }
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_TOKEN_COUNTS_H_
