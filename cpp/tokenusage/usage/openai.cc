// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai.h"

#include "tokenusage/usage/stated.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::Stated;

// The prompt includes cache reads and writes; the completion includes reasoning
// and both kinds of predictions. Modality and cache are two divisions of one
// whole: parts of one may overlap parts of the other.
UsageCounts CountUsage(const openai::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Stated input = counter.Set(v1::USAGE_MEASURE_INPUT_TOKENS,
                                   STATED("", usage, prompt_tokens));
  const Stated output = counter.Set(v1::USAGE_MEASURE_OUTPUT_TOKENS,
                                    STATED("", usage, completion_tokens));
  const Stated total = counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                                   STATED("", usage, total_tokens));
  counter.CheckSum(total, {input, output});

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
  counter.CheckParts({read, write}, input);
  counter.CheckParts({in_text, in_image, in_audio}, input);

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
  counter.CheckParts({reasoning, accepted, rejected}, output);
  counter.CheckParts({out_text, out_audio}, output);
  return counts;
}

}  // namespace tokenusage
