// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/orq.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {
namespace {

// Counts the usage of any image endpoint; all have the same members. Orq does
// not say that the two details are all of the input, so they need not add up to
// it.
template <typename Usage>
void CountImages(const Usage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  counter->Require({parts.input_text, parts.input_image});
  if (!parts.input.is_set && !parts.input.out_of_range &&
      parts.input_text.is_set && parts.input_image.is_set) {
    parts.input = Counter::Sum("input_tokens_details",
                               {parts.input_text, parts.input_image});
  }
  CountTokens(parts, counter);
}

}  // namespace

void Count(const orq::v2::PostV2ProxyImagesEditsUsage& usage,
           Counter* counter) {
  CountImages(usage, counter);
}

void Count(const orq::v2::PostV2ProxyImagesVariationsUsage& usage,
           Counter* counter) {
  CountImages(usage, counter);
}

void Count(const orq::v2::PostV2ProxyImagesGenerationsUsage& usage,
           Counter* counter) {
  CountImages(usage, counter);
}

// Follows OpenAI's rules, since Orq does not document what its counts include.
void Count(const orq::v2::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  parts.cache_write =
      STATED("prompt_tokens_details.", usage.prompt_tokens_details(),
             cache_creation_tokens);
  CountTokens(parts, counter);
}

void Count(const orq::v2::EmbeddingsUsage& usage, Counter* counter) {
  CountEmbeddings(usage, counter);
}

void Count(const orq::v2::RerankUsage& usage, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, STATED("", usage, total_tokens));
}

void Count(const orq::v2::OcrUsage& usage, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_PAGES, STATED("", usage, pages_processed));
  counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
               STATED("", usage, tokens_processed));
}

// Follows OpenAI's rules, like chats.
void Count(const orq::v2::ResponsesUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  const auto& in = usage.input_tokens_details();
  parts.cache_write =
      STATED("input_tokens_details.", in, cache_creation_tokens);
  parts.cache_write_5m =
      STATED("input_tokens_details.", in, cache_creation_5m_tokens);
  parts.cache_write_1h =
      STATED("input_tokens_details.", in, cache_creation_1h_tokens);
  CountTokens(parts, counter);
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               STATED("", usage, web_search_requests));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, total_cost));
}

}  // namespace tokenusage::usage_internal
