// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openai_compatible.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {
namespace {

// Adds the other names that servers have for the parts of the prompt.
void TakeOtherNames(const openai_compatible::v1::ChatUsage& usage,
                    Counter* counter, TokenParts* parts) {
  static constexpr char kMultimodal[] =
      "prompt_tokens_details.multimodal_tokens";
  const auto& in = usage.prompt_tokens_details();
  parts->cache_read =
      counter->OneOf(parts->cache_read, STATED("", usage, cached_tokens));
  parts->cache_write = counter->OneOf(
      parts->cache_write,
      STATED("prompt_tokens_details.", in, cache_creation_input_tokens),
      STATED("prompt_tokens_details.", in, created_cache_tokens));

  Stated image, audio, video;
  for (const auto& entry : in.multimodal_tokens()) {
    const Stated tokens = MakeStated(true, entry.second, kMultimodal);
    if (entry.first == "image") image = tokens;
    if (entry.first == "audio") audio = tokens;
    if (entry.first == "video") video = tokens;
  }
  parts->input_image = counter->OneOf(parts->input_image, image);
  parts->input_audio = counter->OneOf(
      parts->input_audio, STATED("", usage, audio_prompt_tokens), audio);
  parts->input_video = counter->OneOf(parts->input_video, video);
}

}  // namespace

// Follows OpenAI's rules: the wholes are inclusive, unless the total shows that
// the completion leaves out reasoning.
void Count(const openai_compatible::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  TakeOtherNames(usage, counter, &parts);
  parts.reasoning =
      counter->OneOf(parts.reasoning, STATED("", usage, reasoning_tokens));
  if (IsSum(parts.total, {parts.input, parts.output, parts.reasoning})) {
    parts.output =
        Counter::Sum("all output tokens", {parts.output, parts.reasoning});
  }
  CountTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal
