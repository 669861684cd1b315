// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/orq.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::TokenParts;

// The objects of all image endpoints have the same members. Orq does not say
// that the two details are all of the input, so they need not add up to it.
template <typename Usage>
UsageCounts CountImages(const Usage& usage,
                        std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_tokens_details();
  parts.input_text = STATED("input_tokens_details.", in, text_tokens);
  parts.input_image = STATED("input_tokens_details.", in, image_tokens);
  counter.Require({parts.input_text, parts.input_image});
  if (!parts.input.is_set && !parts.input.out_of_range &&
      parts.input_text.is_set && parts.input_image.is_set) {
    parts.input = Counter::Sum("input_tokens_details",
                               {parts.input_text, parts.input_image});
    counter.CheckSum(parts.total, {parts.input, parts.output});
  }
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesEditsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  return CountImages(usage, why);
}

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesVariationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  return CountImages(usage, why);
}

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesGenerationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  return CountImages(usage, why);
}

// Follows OpenAI's rules, since Orq does not document what its counts include.
UsageCounts CountUsage(const orq::v2::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = PromptCompletion(usage, &counter);
  const auto& in = usage.prompt_tokens_details();
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);
  parts.cache_write =
      STATED("prompt_tokens_details.", in, cache_creation_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  const auto& out = usage.completion_tokens_details();
  parts.reasoning = STATED("completion_tokens_details.", out, reasoning_tokens);
  parts.accepted_prediction =
      STATED("completion_tokens_details.", out, accepted_prediction_tokens);
  parts.rejected_prediction =
      STATED("completion_tokens_details.", out, rejected_prediction_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);
  CountTokens(parts, &counter);
  return counts;
}

UsageCounts CountUsage(const orq::v2::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  CountTokens(Embeddings(usage, &counter), &counter);
  return counts;
}

UsageCounts CountUsage(const orq::v2::RerankUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter(&counts, why)
      .Set(v1::USAGE_MEASURE_TOTAL_TOKENS, STATED("", usage, total_tokens));
  return counts;
}

UsageCounts CountUsage(const orq::v2::OcrUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  counter.Set(v1::USAGE_MEASURE_PAGES, STATED("", usage, pages_processed));
  counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
              STATED("", usage, tokens_processed));
  return counts;
}

// Follows OpenAI's rules, like chats.
UsageCounts CountUsage(const orq::v2::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_tokens_details();
  parts.cache_read = STATED("input_tokens_details.", in, cached_tokens);
  parts.cache_write =
      STATED("input_tokens_details.", in, cache_creation_tokens);
  parts.cache_write_5m =
      STATED("input_tokens_details.", in, cache_creation_5m_tokens);
  parts.cache_write_1h =
      STATED("input_tokens_details.", in, cache_creation_1h_tokens);
  parts.reasoning = STATED("output_tokens_details.",
                           usage.output_tokens_details(), reasoning_tokens);
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("", usage, web_search_requests));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, total_cost));
  return counts;
}

}  // namespace tokenusage
