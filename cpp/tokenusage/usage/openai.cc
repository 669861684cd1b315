// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::TokenParts;

// The prompt includes cache reads and writes; the completion includes reasoning
// and both kinds of predictions. Modality and cache are two divisions of one
// whole: parts of one may overlap parts of the other.
UsageCounts CountUsage(const openai::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = PromptCompletion(usage, &counter);
  const auto& in = usage.prompt_tokens_details();
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);
  parts.cache_write = STATED("prompt_tokens_details.", in, cache_write_tokens);
  parts.input_text = STATED("prompt_tokens_details.", in, text_tokens);
  parts.input_image = STATED("prompt_tokens_details.", in, image_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  const auto& out = usage.completion_tokens_details();
  parts.reasoning = STATED("completion_tokens_details.", out, reasoning_tokens);
  parts.accepted_prediction =
      STATED("completion_tokens_details.", out, accepted_prediction_tokens);
  parts.rejected_prediction =
      STATED("completion_tokens_details.", out, rejected_prediction_tokens);
  parts.output_text = STATED("completion_tokens_details.", out, text_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);
  CountTokens(parts, &counter);
  return counts;
}

// Follows the rules of ChatUsage.
UsageCounts CountUsage(const openai::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_tokens_details();
  parts.cache_read = STATED("input_tokens_details.", in, cached_tokens);
  parts.cache_write = STATED("input_tokens_details.", in, cache_write_tokens);
  const auto& out = usage.output_tokens_details();
  parts.reasoning = STATED("output_tokens_details.", out, reasoning_tokens);
  counter.Require({parts.cache_read, parts.reasoning});
  CountTokens(parts, &counter);
  return counts;
}

// Counts the image model's tokens. None of them is part of ResponsesUsage.
UsageCounts CountUsage(const openai::v1::ResponsesToolUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const auto& image = usage.image_gen();
  TokenParts parts;
  parts.input = STATED("image_gen.", image, input_tokens);
  parts.output = STATED("image_gen.", image, output_tokens);
  parts.total = STATED("image_gen.", image, total_tokens);
  counter.CheckSum(parts.total, {parts.input, parts.output});
  const auto& in = image.input_tokens_details();
  parts.input_text = STATED("image_gen.input_tokens_details.", in, text_tokens);
  parts.input_image =
      STATED("image_gen.input_tokens_details.", in, image_tokens);
  parts.cache_read =
      STATED("image_gen.input_tokens_details.", in, cached_tokens);
  const auto& out = image.output_tokens_details();
  parts.output_text =
      STATED("image_gen.output_tokens_details.", out, text_tokens);
  parts.output_image =
      STATED("image_gen.output_tokens_details.", out, image_tokens);
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("web_search.", usage.web_search(), num_requests));
  return counts;
}

// Streams do not divide the output, so its modality is unknown.
UsageCounts CountUsage(const openai::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_tokens_details();
  parts.input_text = STATED("input_tokens_details.", in, text_tokens);
  parts.input_image = STATED("input_tokens_details.", in, image_tokens);
  const auto& out = usage.output_tokens_details();
  parts.output_text = STATED("output_tokens_details.", out, text_tokens);
  parts.output_image = STATED("output_tokens_details.", out, image_tokens);
  CountTokens(parts, &counter);
  return counts;
}

UsageCounts CountUsage(const openai::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  CountTokens(Embeddings(usage, &counter), &counter);
  return counts;
}

// Ignores `type`, which may be missing: the counts show which kind it is.
UsageCounts CountUsage(const openai::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_token_details();
  parts.input_text = STATED("input_token_details.", in, text_tokens);
  parts.input_audio = STATED("input_token_details.", in, audio_tokens);
  CountTokens(parts, &counter);
  counter.Set(
      v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
      counter.OneOf(STATED("", usage, seconds), STATED("", usage, duration)));
  return counts;
}

UsageCounts CountUsage(const openai::v1::SpeechUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  CountTokens(InputOutput(usage, &counter), &counter);
  return counts;
}

// Counts the only usage of OpenAI's that states cache reads by modality.
UsageCounts CountUsage(const openai::v1::RealtimeUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_token_details();
  parts.input_text = STATED("input_token_details.", in, text_tokens);
  parts.input_image = STATED("input_token_details.", in, image_tokens);
  parts.input_audio = STATED("input_token_details.", in, audio_tokens);
  parts.cache_read = STATED("input_token_details.", in, cached_tokens);
  const auto& cached = in.cached_tokens_details();
#define CACHED(name) \
  STATED("input_token_details.cached_tokens_details.", cached, name)
  parts.cache_read_text = CACHED(text_tokens);
  parts.cache_read_image = CACHED(image_tokens);
  parts.cache_read_audio = CACHED(audio_tokens);
#undef CACHED
  const auto& out = usage.output_token_details();
  parts.output_text = STATED("output_token_details.", out, text_tokens);
  parts.output_audio = STATED("output_token_details.", out, audio_tokens);
  parts.reasoning = STATED("output_token_details.", out, reasoning_tokens);
  CountTokens(parts, &counter);
  return counts;
}

UsageCounts CountUsage(const openai::v1::BatchUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  parts.cache_read = STATED("input_tokens_details.",
                            usage.input_tokens_details(), cached_tokens);
  parts.reasoning = STATED("output_tokens_details.",
                           usage.output_tokens_details(), reasoning_tokens);
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace tokenusage
