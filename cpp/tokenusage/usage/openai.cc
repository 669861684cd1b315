// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

void Count(const openai::v1::ChatUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
}

void Count(const openai::v1::ResponsesUsage& usage, Counter* counter) {
  const TokenParts parts = OpenAiParts(usage, counter);
  counter->Require({parts.cache_read, parts.reasoning});
  CountTokens(parts, counter);
}

// Counts the image model's tokens. None of them is part of ResponsesUsage.
void Count(const openai::v1::ResponsesToolUsage& usage, Counter* counter) {
  const auto& image = usage.image_gen();
  TokenParts parts;
  parts.input = STATED("image_gen.", image, input_tokens);
  parts.output = STATED("image_gen.", image, output_tokens);
  parts.total = STATED("image_gen.", image, total_tokens);
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
  CountTokens(parts, counter);
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               STATED("web_search.", usage.web_search(), num_requests));
}

// Counts streams, too, which do not divide the output by modality.
void Count(const openai::v1::ImagesUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
}

void Count(const openai::v1::EmbeddingsUsage& usage, Counter* counter) {
  CountEmbeddings(usage, counter);
}

// Ignores `type`, which may be missing: the counts show which kind it is.
void Count(const openai::v1::TranscriptionUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
  counter->Set(
      v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
      counter->OneOf(STATED("", usage, seconds), STATED("", usage, duration)));
}

void Count(const openai::v1::SpeechUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
}

// Counts the only usage of OpenAI's that states cache reads by modality.
void Count(const openai::v1::RealtimeUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  const auto& cached = usage.input_token_details().cached_tokens_details();
#define CACHED(name) \
  STATED("input_token_details.cached_tokens_details.", cached, name)
  parts.cache_read_text = CACHED(text_tokens);
  parts.cache_read_image = CACHED(image_tokens);
  parts.cache_read_audio = CACHED(audio_tokens);
#undef CACHED
  CountTokens(parts, counter);
}

void Count(const openai::v1::BatchUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
}

}  // namespace tokenusage::usage_internal
