// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/cohere.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {
namespace {

// Counts processed and billed tokens, which are on two bases; cached tokens
// belong to the former. Cohere states no total.
template <typename Usage>
void CountProcessedAndBilled(const Usage& usage, Counter* counter) {
  TokenParts parts;
  parts.input = STATED("tokens.", usage.tokens(), input_tokens);
  parts.output = STATED("tokens.", usage.tokens(), output_tokens);
  parts.cache_read = STATED("", usage, cached_tokens);
  CountTokens(parts, counter);
  counter->Set(v1::USAGE_MEASURE_BILLED_OUTPUT_TOKENS,
               STATED("billed_units.", usage.billed_units(), output_tokens));
  counter->Set(v1::USAGE_MEASURE_SEARCH_UNITS,
               STATED("billed_units.", usage.billed_units(), search_units));
}

}  // namespace

void Count(const cohere::v2::ChatUsage& usage, Counter* counter) {
  CountProcessedAndBilled(usage, counter);
  counter->Set(v1::USAGE_MEASURE_BILLED_INPUT_TOKENS,
               STATED("billed_units.", usage.billed_units(), input_tokens));
}

// Adds image tokens, which are billed in addition to input tokens.
void Count(const cohere::v2::MetaUsage& usage, Counter* counter) {
  CountProcessedAndBilled(usage, counter);
  const auto& billed = usage.billed_units();
  counter->Set(v1::USAGE_MEASURE_BILLED_INPUT_TOKENS,
               Counter::Sum("all billed input tokens",
                            {STATED("billed_units.", billed, input_tokens),
                             STATED("billed_units.", billed, image_tokens)}));
  counter->Set(v1::USAGE_MEASURE_IMAGES,
               STATED("billed_units.", billed, images));
}

}  // namespace tokenusage::usage_internal
