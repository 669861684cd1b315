// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/token_counts.h"

namespace tokenusage {
namespace {

// Sets the measure from an optional double.
#define TOKENUSAGE_COUNT(measure, message, field)                \
  if ((message).has_##field()) {                                 \
    counts[measure] = TokenAmount::FromCount((message).field()); \
  }

// For the usage messages that have these fields.
template <typename Usage>
TokenCounts CountsOfImages(const Usage& usage) {
  TokenCounts counts;
  TOKENUSAGE_COUNT(TokenMeasure::kTotal, usage, total_tokens);
  TOKENUSAGE_COUNT(TokenMeasure::kInput, usage, input_tokens);
  TOKENUSAGE_COUNT(TokenMeasure::kOutput, usage, output_tokens);
  const auto& details = usage.input_tokens_details();
  TOKENUSAGE_COUNT(TokenMeasure::kInputText, details, text_tokens);
  TOKENUSAGE_COUNT(TokenMeasure::kInputImage, details, image_tokens);
  return counts;
}

#undef TOKENUSAGE_COUNT

}  // namespace

TokenCounts CountsOf(const v1::UsageRecord& record) {
  switch (record.usage_case()) {
    case v1::UsageRecord::kImagesEdits:
      return CountsOfImages(record.images_edits());
    case v1::UsageRecord::kImagesVariations:
      return CountsOfImages(record.images_variations());
    case v1::UsageRecord::USAGE_NOT_SET:
      break;
  }
  return {};
}

}  // namespace tokenusage
