// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai.h"

#include "tokenusage/usage/stated.h"
#include "tokenusage/usage/wholes.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::Stated;
using usage_internal::Wholes;

// The prompt includes cache reads and writes; the completion includes reasoning
// and both kinds of predictions. Modality and cache are two divisions of one
// whole: parts of one may overlap parts of the other.
UsageCounts CountUsage(const openai::v1::ChatUsage& usage,
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
                  STATED("prompt_tokens_details.", in, cache_write_tokens));
  const Stated in_text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("prompt_tokens_details.", in, text_tokens));
  const Stated in_image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("prompt_tokens_details.", in, image_tokens));
  const Stated in_audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("prompt_tokens_details.", in, audio_tokens));
  counter.CheckParts({read, write}, all.input);
  counter.CheckParts({in_text, in_image, in_audio}, all.input);

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
  const Stated out_text =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS,
                  STATED("completion_tokens_details.", out, text_tokens));
  const Stated out_audio =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS,
                  STATED("completion_tokens_details.", out, audio_tokens));
  counter.CheckParts({reasoning, accepted, rejected}, all.output);
  counter.CheckParts({out_text, out_audio}, all.output);
  return counts;
}

// The input includes cache reads and writes; the output includes reasoning.
UsageCounts CountUsage(const openai::v1::ResponsesUsage& usage,
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
                  STATED("input_tokens_details.", in, cache_write_tokens));
  counter.CheckParts({read, write}, all.input);

  const auto& out = usage.output_tokens_details();
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("output_tokens_details.", out, reasoning_tokens));
  counter.CheckPart(reasoning, all.output);
  return counts;
}

// The counts of the image model. Nothing here is part of ResponsesUsage.
UsageCounts CountUsage(const openai::v1::ResponsesToolUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const auto& image = usage.image_gen();
  const Wholes all = usage_internal::CountWholes(
      &counter, STATED("image_gen.", image, input_tokens),
      STATED("image_gen.", image, output_tokens),
      STATED("image_gen.", image, total_tokens));
  const auto& in = image.input_tokens_details();
  const Stated in_text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("image_gen.input_tokens_details.", in, text_tokens));
  const Stated in_image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("image_gen.input_tokens_details.", in, image_tokens));
  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("image_gen.input_tokens_details.", in, cached_tokens));
  counter.CheckParts({in_text, in_image}, all.input);
  counter.CheckPart(read, all.input);

  const auto& out = image.output_tokens_details();
  const Stated out_text =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS,
                  STATED("image_gen.output_tokens_details.", out, text_tokens));
  const Stated out_image = counter.Set(
      v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS,
      STATED("image_gen.output_tokens_details.", out, image_tokens));
  counter.CheckParts({out_text, out_image}, all.output);

  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("web_search.", usage.web_search(), num_requests));
  return counts;
}

// Streams do not divide the output: then its modality is not known.
UsageCounts CountUsage(const openai::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const auto& in = usage.input_tokens_details();
  const Stated in_text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("input_tokens_details.", in, text_tokens));
  const Stated in_image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("input_tokens_details.", in, image_tokens));
  counter.CheckParts({in_text, in_image}, all.input);

  const auto& out = usage.output_tokens_details();
  const Stated out_text =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS,
                  STATED("output_tokens_details.", out, text_tokens));
  const Stated out_image =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS,
                  STATED("output_tokens_details.", out, image_tokens));
  counter.CheckParts({out_text, out_image}, all.output);
  return counts;
}

UsageCounts CountUsage(const openai::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountEmbeddings(&counter, usage);
  return counts;
}

// Told apart by the counts that it states: `type` may be missing.
UsageCounts CountUsage(const openai::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const auto& in = usage.input_token_details();
  const Stated text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("input_token_details.", in, text_tokens));
  const Stated audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("input_token_details.", in, audio_tokens));
  counter.CheckParts({text, audio}, all.input);
  counter.Set(
      v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
      counter.OneOf({STATED("", usage, seconds), STATED("", usage, duration)}));
  return counts;
}

UsageCounts CountUsage(const openai::v1::SpeechUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountInputOutput(&counter, usage);
  return counts;
}

// The only one of OpenAI's that states cache reads by modality.
UsageCounts CountUsage(const openai::v1::RealtimeUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const auto& in = usage.input_token_details();
  const Stated in_text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("input_token_details.", in, text_tokens));
  const Stated in_image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("input_token_details.", in, image_tokens));
  const Stated in_audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("input_token_details.", in, audio_tokens));
  counter.CheckParts({in_text, in_image, in_audio}, all.input);

  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("input_token_details.", in, cached_tokens));
  const auto& cached = in.cached_tokens_details();
#define CACHED(name) \
  STATED("input_token_details.cached_tokens_details.", cached, name)
  const Stated read_text = counter.Set(v1::USAGE_MEASURE_CACHE_READ_TEXT_TOKENS,
                                       CACHED(text_tokens));
  const Stated read_image = counter.Set(
      v1::USAGE_MEASURE_CACHE_READ_IMAGE_TOKENS, CACHED(image_tokens));
  const Stated read_audio = counter.Set(
      v1::USAGE_MEASURE_CACHE_READ_AUDIO_TOKENS, CACHED(audio_tokens));
#undef CACHED
  counter.CheckPart(read, all.input);
  counter.CheckParts({read_text, read_image, read_audio}, read);
  counter.CheckPart(read_text, in_text);
  counter.CheckPart(read_image, in_image);
  counter.CheckPart(read_audio, in_audio);

  const auto& out = usage.output_token_details();
  const Stated out_text =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS,
                  STATED("output_token_details.", out, text_tokens));
  const Stated out_audio =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS,
                  STATED("output_token_details.", out, audio_tokens));
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("output_token_details.", out, reasoning_tokens));
  counter.CheckParts({out_text, out_audio}, all.output);
  counter.CheckPart(reasoning, all.output);
  return counts;
}

UsageCounts CountUsage(const openai::v1::BatchUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("input_tokens_details.", usage.input_tokens_details(),
                         cached_tokens));
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("output_tokens_details.",
                         usage.output_tokens_details(), reasoning_tokens));
  counter.CheckPart(read, all.input);
  counter.CheckPart(reasoning, all.output);
  return counts;
}

}  // namespace tokenusage
