// SPDX-License-Identifier: Apache-2.0

// OpenAI's names for the counts of a usage; most other providers have adopted
// some or all of them. Only for the files of this folder.

#ifndef TOKENUSAGE_USAGE_OPENAI_PARTS_H_
#define TOKENUSAGE_USAGE_OPENAI_PARTS_H_

#include <type_traits>

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {

// Calls `take(usage)` if that compiles. The lambdas below name a field in their
// return types, so they can be called only with a usage that has the field.
template <typename Usage, typename Take>
void CallIfValid(const Usage& usage, const Take& take) {
  if constexpr (std::is_invocable_v<Take, const Usage&>) take(usage);
}

// Returns the counts that the usage states under OpenAI's names. If a
// provider means something else by a name, its rule overwrites the part.
//
// The input includes cache reads and writes; the output includes reasoning and
// both kinds of predictions. Modality and cache are two divisions of one whole:
// parts of one may overlap parts of the other. A usage that lacks one of the
// wholes that its type has is marked as incomplete (see Counter::Require),
// required or not. No type has two names for one part.
template <typename Usage>
TokenParts OpenAiParts(const Usage& usage, Counter* counter) {
  TokenParts parts;
  // `part` is a member of TokenParts, `name` a field of the usage or of its
  // field `details`.
#define WHOLE(part, name)                                                 \
  CallIfValid(                                                            \
      usage,                                                              \
      [&](const auto& u) -> decltype(static_cast<void>(u.has_##name())) { \
        parts.part = STATED("", u, name);                                 \
        counter->Require({parts.part});                                   \
      })
  WHOLE(input, prompt_tokens);
  WHOLE(input, input_tokens);
  WHOLE(output, completion_tokens);
  WHOLE(output, output_tokens);
  WHOLE(total, total_tokens);
#undef WHOLE

#define PART(part, details, name)                                     \
  CallIfValid(usage,                                                  \
              [&](const auto& u) -> decltype(static_cast<void>(       \
                                     u.details().has_##name())) {     \
                parts.part = STATED(#details ".", u.details(), name); \
              })
#define INPUT_PARTS(details)                      \
  PART(cache_read, details, cached_tokens);       \
  PART(cache_write, details, cache_write_tokens); \
  PART(input_text, details, text_tokens);         \
  PART(input_image, details, image_tokens);       \
  PART(input_audio, details, audio_tokens);       \
  PART(input_video, details, video_tokens);       \
  PART(input_document, details, file_tokens)
  INPUT_PARTS(prompt_tokens_details);
  INPUT_PARTS(input_tokens_details);
  INPUT_PARTS(input_token_details);
#undef INPUT_PARTS

#define OUTPUT_PARTS(details)                                     \
  PART(reasoning, details, reasoning_tokens);                     \
  PART(accepted_prediction, details, accepted_prediction_tokens); \
  PART(rejected_prediction, details, rejected_prediction_tokens); \
  PART(output_text, details, text_tokens);                        \
  PART(output_image, details, image_tokens);                      \
  PART(output_audio, details, audio_tokens)
  OUTPUT_PARTS(completion_tokens_details);
  OUTPUT_PARTS(output_tokens_details);
  OUTPUT_PARTS(output_token_details);
#undef OUTPUT_PARTS
#undef PART
  return parts;
}

// Counts embeddings, whose input must be the total, since there is no output.
template <typename Usage>
void CountEmbeddings(const Usage& usage, Counter* counter) {
  const TokenParts parts = OpenAiParts(usage, counter);
  counter->CheckSum(parts.total, {parts.input});
  CountTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_OPENAI_PARTS_H_
