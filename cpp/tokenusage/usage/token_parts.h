// SPDX-License-Identifier: Apache-2.0

// The tokens of a usage under our names for them, for the many providers whose
// rules differ in little else than names. Only for the files of this folder.

#ifndef TOKENUSAGE_USAGE_TOKEN_PARTS_H_
#define TOKENUSAGE_USAGE_TOKEN_PARTS_H_

#include <initializer_list>

#include "tokenusage/usage/stated.h"

namespace tokenusage::usage_internal {

// Each is the measure of its name. All are inclusive.
struct TokenParts {
  Stated total;

  Stated input;
  Stated input_text, input_image, input_audio, input_video;
  Stated cache_read, cache_write;
  Stated tool_result;

  Stated output;
  Stated output_text, output_image, output_audio;
  Stated reasoning, accepted_prediction, rejected_prediction;
};

// Returns whether all are stated, and the whole is the sum of the parts.
inline bool IsSum(const Stated& whole, std::initializer_list<Stated> parts) {
  Amount sum;
  bool all = whole.is_set;
  for (const Stated& part : parts) {
    sum += part.amount;
    all = all && part.is_set;
  }
  return all && sum == whole.amount;
}

// Sets the measures of what is stated, and checks the parts against input and
// output. The total is input and output if it is not stated; whether a stated
// one must be their sum is for the caller to know.
inline void CountTokens(const TokenParts& parts, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS, parts.input);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TOKENS, parts.output);
  if (parts.total.is_set) {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, parts.total);
  } else if (parts.input.is_set && parts.output.is_set) {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                 Counter::Sum("total tokens", {parts.input, parts.output}));
  }
  counter->Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS, parts.input_text);
  counter->Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS, parts.input_image);
  counter->Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS, parts.input_audio);
  counter->Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS, parts.input_video);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS, parts.cache_read);
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS, parts.cache_write);
  counter->Set(v1::USAGE_MEASURE_TOOL_RESULT_TOKENS, parts.tool_result);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS, parts.output_text);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS, parts.output_image);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS, parts.output_audio);
  counter->Set(v1::USAGE_MEASURE_REASONING_TOKENS, parts.reasoning);
  counter->Set(v1::USAGE_MEASURE_ACCEPTED_PREDICTION_TOKENS,
               parts.accepted_prediction);
  counter->Set(v1::USAGE_MEASURE_REJECTED_PREDICTION_TOKENS,
               parts.rejected_prediction);

  counter->CheckParts({parts.input_text, parts.input_image, parts.input_audio,
                       parts.input_video},
                      parts.input);
  counter->CheckParts({parts.cache_read, parts.cache_write}, parts.input);
  counter->CheckParts(
      {parts.output_text, parts.output_image, parts.output_audio},
      parts.output);
  counter->CheckParts(
      {parts.reasoning, parts.accepted_prediction, parts.rejected_prediction},
      parts.output);
}

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_TOKEN_PARTS_H_
