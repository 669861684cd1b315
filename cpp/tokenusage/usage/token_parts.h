// SPDX-License-Identifier: Apache-2.0

// The tokens of a usage under the names of the measures, for the many providers
// whose rules differ in little but the names. Only for the files of this
// folder.

#ifndef TOKENUSAGE_USAGE_TOKEN_PARTS_H_
#define TOKENUSAGE_USAGE_TOKEN_PARTS_H_

#include "tokenusage/usage/stated.h"

namespace tokenusage::usage_internal {

// The Stated of a singular field with presence. `path` is a string literal: ""
// or the path of `message` with a dot at its end.
#define STATED(path, message, name)                                \
  ::tokenusage::usage_internal::MakeStated((message).has_##name(), \
                                           (message).name(), path #name)

// The counts of tokens. Each becomes the measure with its name, and is
// inclusive.
struct TokenParts {
  Stated total;

  Stated input;
  Stated input_text, input_image, input_audio, input_video, input_document;
  Stated cache_read, cache_read_text, cache_read_image, cache_read_audio,
      cache_read_video;
  Stated cache_write, cache_write_5m, cache_write_1h;
  Stated tool_result;

  Stated output;
  Stated output_text, output_image, output_audio, output_video;
  Stated reasoning, accepted_prediction, rejected_prediction;
};

// Sets the measures of the counts that are stated. If the total is not stated,
// it is the sum of input and output.
inline void SetTokens(const TokenParts& parts, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS, parts.input);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TOKENS, parts.output);
  if (parts.total.is_set || parts.total.out_of_range) {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, parts.total);
  } else if (parts.input.is_set && parts.output.is_set) {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                 Counter::Sum("total_tokens", {parts.input, parts.output}));
  }
  counter->Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS, parts.input_text);
  counter->Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS, parts.input_image);
  counter->Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS, parts.input_audio);
  counter->Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS, parts.input_video);
  counter->Set(v1::USAGE_MEASURE_INPUT_DOCUMENT_TOKENS, parts.input_document);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS, parts.cache_read);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_TEXT_TOKENS, parts.cache_read_text);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_IMAGE_TOKENS,
               parts.cache_read_image);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_AUDIO_TOKENS,
               parts.cache_read_audio);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_VIDEO_TOKENS,
               parts.cache_read_video);
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS, parts.cache_write);
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_5M_TOKENS, parts.cache_write_5m);
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_1H_TOKENS, parts.cache_write_1h);
  counter->Set(v1::USAGE_MEASURE_TOOL_RESULT_TOKENS, parts.tool_result);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS, parts.output_text);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS, parts.output_image);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS, parts.output_audio);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_VIDEO_TOKENS, parts.output_video);
  counter->Set(v1::USAGE_MEASURE_REASONING_TOKENS, parts.reasoning);
  counter->Set(v1::USAGE_MEASURE_ACCEPTED_PREDICTION_TOKENS,
               parts.accepted_prediction);
  counter->Set(v1::USAGE_MEASURE_REJECTED_PREDICTION_TOKENS,
               parts.rejected_prediction);
}

// Checks the parts against input and output, and the parts of cache reads and
// writes against these.
inline void CheckTokens(const TokenParts& parts, Counter* counter) {
  counter->CheckParts({parts.input_text, parts.input_image, parts.input_audio,
                       parts.input_video, parts.input_document},
                      parts.input);
  counter->CheckParts({parts.cache_read, parts.cache_write}, parts.input);
  counter->CheckParts({parts.cache_read_text, parts.cache_read_image,
                       parts.cache_read_audio, parts.cache_read_video},
                      parts.cache_read);
  counter->CheckPart(parts.cache_read_text, parts.input_text);
  counter->CheckPart(parts.cache_read_image, parts.input_image);
  counter->CheckPart(parts.cache_read_audio, parts.input_audio);
  counter->CheckPart(parts.cache_read_video, parts.input_video);
  counter->CheckParts({parts.cache_write_5m, parts.cache_write_1h},
                      parts.cache_write);
  counter->CheckPart(parts.tool_result, parts.input);
  counter->CheckParts({parts.output_text, parts.output_image,
                       parts.output_audio, parts.output_video},
                      parts.output);
  counter->CheckParts(
      {parts.reasoning, parts.accepted_prediction, parts.rejected_prediction},
      parts.output);
}

// Counts the tokens. If input, output and total are stated, the total must be
// the sum of the others. Providers whose total may be another sum check it
// themselves, and call the two functions above.
inline void CountTokens(const TokenParts& parts, Counter* counter) {
  counter->CheckSum(parts.total, {parts.input, parts.output});
  SetTokens(parts, counter);
  CheckTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_TOKEN_PARTS_H_
