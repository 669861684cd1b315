// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/orq.h"

#include "tokenusage/usage/stated.h"
#include "tokenusage/usage/wholes.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::Stated;
using usage_internal::Wholes;

// The objects of all image endpoints have the same members. Orq does not say
// that the two details are all of the input, so they need not add up to it.
template <typename Usage>
UsageCounts CountImages(const Usage& usage,
                        std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const auto& in = usage.input_tokens_details();
  const Stated text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("input_tokens_details.", in, text_tokens));
  const Stated image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("input_tokens_details.", in, image_tokens));
  Stated input = STATED("", usage, input_tokens);
  if (!input.is_set && text.is_set && image.is_set) {
    input = Counter::Sum("input_tokens_details", {text, image});
  }
  usage_internal::CountWholes(&counter, input, STATED("", usage, output_tokens),
                              STATED("", usage, total_tokens));
  counter.CheckParts({text, image}, input);
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

// Orq does not document what its counts include: by OpenAI's rules.
UsageCounts CountUsage(const orq::v2::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountPromptCompletion(&counter, usage);
  const auto& in = usage.prompt_tokens_details();
  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("prompt_tokens_details.", in, cached_tokens));
  const Stated write =
      counter.Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS,
                  STATED("prompt_tokens_details.", in, cache_creation_tokens));
  const Stated in_audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("prompt_tokens_details.", in, audio_tokens));
  counter.CheckParts({read, write}, all.input);
  counter.CheckPart(in_audio, all.input);

  const auto& out = usage.completion_tokens_details();
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("completion_tokens_details.", out, reasoning_tokens));
  const Stated accepted = counter.Set(
      v1::USAGE_MEASURE_ACCEPTED_PREDICTION_TOKENS,
      STATED("completion_tokens_details.", out, accepted_prediction_tokens));
  const Stated rejected = counter.Set(
      v1::USAGE_MEASURE_REJECTED_PREDICTION_TOKENS,
      STATED("completion_tokens_details.", out, rejected_prediction_tokens));
  const Stated out_audio =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS,
                  STATED("completion_tokens_details.", out, audio_tokens));
  counter.CheckParts({reasoning, accepted, rejected}, all.output);
  counter.CheckPart(out_audio, all.output);
  return counts;
}

UsageCounts CountUsage(const orq::v2::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountEmbeddings(&counter, usage);
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

// By OpenAI's rules, like chats.
UsageCounts CountUsage(const orq::v2::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const auto& in = usage.input_tokens_details();
  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("input_tokens_details.", in, cached_tokens));
  const Stated write =
      counter.Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS,
                  STATED("input_tokens_details.", in, cache_creation_tokens));
  const Stated write_5m = counter.Set(
      v1::USAGE_MEASURE_CACHE_WRITE_5M_TOKENS,
      STATED("input_tokens_details.", in, cache_creation_5m_tokens));
  const Stated write_1h = counter.Set(
      v1::USAGE_MEASURE_CACHE_WRITE_1H_TOKENS,
      STATED("input_tokens_details.", in, cache_creation_1h_tokens));
  counter.CheckParts({read, write}, all.input);
  counter.CheckParts({write_5m, write_1h}, write);

  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("output_tokens_details.",
                         usage.output_tokens_details(), reasoning_tokens));
  counter.CheckPart(reasoning, all.output);
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("", usage, web_search_requests));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, total_cost));
  return counts;
}

}  // namespace tokenusage
