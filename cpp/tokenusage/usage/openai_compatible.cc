// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai_compatible.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::IsSum;
using usage_internal::MakeStated;
using usage_internal::Stated;
using usage_internal::TokenParts;

constexpr char kMultimodal[] = "prompt_tokens_details.multimodal_tokens";

// The parts of the prompt, under all names that servers have for them.
void SetInputParts(const openai_compatible::v1::ChatUsage& usage,
                   Counter* counter, TokenParts* parts) {
  const auto& in = usage.prompt_tokens_details();
  parts->cache_read =
      counter->OneOf(STATED("prompt_tokens_details.", in, cached_tokens),
                     STATED("", usage, cached_tokens));
  parts->cache_write = counter->OneOf(
      STATED("prompt_tokens_details.", in, cache_write_tokens),
      STATED("prompt_tokens_details.", in, cache_creation_input_tokens),
      STATED("prompt_tokens_details.", in, created_cache_tokens));

  Stated image, audio, video;
  for (const auto& entry : in.multimodal_tokens()) {
    const Stated tokens = MakeStated(true, entry.second, kMultimodal);
    if (entry.first == "image") image = tokens;
    if (entry.first == "audio") audio = tokens;
    if (entry.first == "video") video = tokens;
  }
  parts->input_text = STATED("prompt_tokens_details.", in, text_tokens);
  parts->input_image =
      counter->OneOf(STATED("prompt_tokens_details.", in, image_tokens), image);
  parts->input_audio =
      counter->OneOf(STATED("prompt_tokens_details.", in, audio_tokens),
                     STATED("", usage, audio_prompt_tokens), audio);
  parts->input_video =
      counter->OneOf(STATED("prompt_tokens_details.", in, video_tokens), video);
}

}  // namespace

// The wholes are inclusive, as OpenAI's are, unless the total shows that
// reasoning is beside the completion.
UsageCounts CountUsage(const openai_compatible::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.output = STATED("", usage, completion_tokens);
  SetInputParts(usage, &counter, &parts);

  const auto& out = usage.completion_tokens_details();
  parts.reasoning =
      counter.OneOf(STATED("completion_tokens_details.", out, reasoning_tokens),
                    STATED("", usage, reasoning_tokens));
  parts.accepted_prediction =
      STATED("completion_tokens_details.", out, accepted_prediction_tokens);
  parts.rejected_prediction =
      STATED("completion_tokens_details.", out, rejected_prediction_tokens);
  parts.output_text = STATED("completion_tokens_details.", out, text_tokens);
  parts.output_image = STATED("completion_tokens_details.", out, image_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);

  if (IsSum(parts.total, {parts.input, parts.output, parts.reasoning})) {
    parts.output =
        Counter::Sum("all output tokens", {parts.output, parts.reasoning});
  }
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace tokenusage
