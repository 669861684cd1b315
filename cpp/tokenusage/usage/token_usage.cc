// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/token_usage.h"

#include "tokenusage/usage/stated.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::Stated;

UsageCounts CountUsage(const v1::TokenUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
#define COUNT(MEASURE, name) \
  const Stated name =        \
      counter.Set(v1::USAGE_MEASURE_##MEASURE, STATED("", usage, name))
  COUNT(INPUT_TOKENS, input_tokens);
  COUNT(OUTPUT_TOKENS, output_tokens);
  COUNT(INPUT_TEXT_TOKENS, input_text_tokens);
  COUNT(INPUT_IMAGE_TOKENS, input_image_tokens);
  COUNT(INPUT_AUDIO_TOKENS, input_audio_tokens);
  COUNT(INPUT_VIDEO_TOKENS, input_video_tokens);
  COUNT(INPUT_DOCUMENT_TOKENS, input_document_tokens);
  COUNT(CACHE_READ_TOKENS, cache_read_tokens);
  COUNT(CACHE_READ_TEXT_TOKENS, cache_read_text_tokens);
  COUNT(CACHE_READ_IMAGE_TOKENS, cache_read_image_tokens);
  COUNT(CACHE_READ_AUDIO_TOKENS, cache_read_audio_tokens);
  COUNT(CACHE_READ_VIDEO_TOKENS, cache_read_video_tokens);
  COUNT(CACHE_WRITE_TOKENS, cache_write_tokens);
  COUNT(CACHE_WRITE_5M_TOKENS, cache_write_5m_tokens);
  COUNT(CACHE_WRITE_1H_TOKENS, cache_write_1h_tokens);
  COUNT(TOOL_RESULT_TOKENS, tool_result_tokens);
  COUNT(OUTPUT_TEXT_TOKENS, output_text_tokens);
  COUNT(OUTPUT_IMAGE_TOKENS, output_image_tokens);
  COUNT(OUTPUT_AUDIO_TOKENS, output_audio_tokens);
  COUNT(OUTPUT_VIDEO_TOKENS, output_video_tokens);
  COUNT(REASONING_TOKENS, reasoning_tokens);
  COUNT(ACCEPTED_PREDICTION_TOKENS, accepted_prediction_tokens);
  COUNT(REJECTED_PREDICTION_TOKENS, rejected_prediction_tokens);
#undef COUNT
  counter.Set(v1::USAGE_MEASURE_BILLED_INPUT_TOKENS,
              STATED("", usage, billed_input_tokens));
  counter.Set(v1::USAGE_MEASURE_BILLED_OUTPUT_TOKENS,
              STATED("", usage, billed_output_tokens));
  counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
              STATED("", usage, input_audio_seconds));
  counter.Set(v1::USAGE_MEASURE_IMAGES, STATED("", usage, images));
  counter.Set(v1::USAGE_MEASURE_PAGES, STATED("", usage, pages));
  counter.Set(v1::USAGE_MEASURE_CHARACTERS, STATED("", usage, characters));
  counter.Set(v1::USAGE_MEASURE_SEARCH_UNITS, STATED("", usage, search_units));
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("", usage, web_search_requests));
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS, STATED("", usage, tool_calls));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost_usd));

  Stated total = STATED("", usage, total_tokens);
  if (!total.is_set && !total.out_of_range && input_tokens.is_set &&
      output_tokens.is_set) {
    total = Counter::Sum("total_tokens", {input_tokens, output_tokens});
  }
  counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS, total);
  counter.CheckSum(total, {input_tokens, output_tokens});

  counter.CheckParts({input_text_tokens, input_image_tokens, input_audio_tokens,
                      input_video_tokens, input_document_tokens},
                     input_tokens);
  counter.CheckParts({cache_read_tokens, cache_write_tokens}, input_tokens);
  counter.CheckParts({cache_read_text_tokens, cache_read_image_tokens,
                      cache_read_audio_tokens, cache_read_video_tokens},
                     cache_read_tokens);
  counter.CheckPart(cache_read_text_tokens, input_text_tokens);
  counter.CheckPart(cache_read_image_tokens, input_image_tokens);
  counter.CheckPart(cache_read_audio_tokens, input_audio_tokens);
  counter.CheckPart(cache_read_video_tokens, input_video_tokens);
  counter.CheckParts({cache_write_5m_tokens, cache_write_1h_tokens},
                     cache_write_tokens);
  counter.CheckPart(tool_result_tokens, input_tokens);
  counter.CheckParts({output_text_tokens, output_image_tokens,
                      output_audio_tokens, output_video_tokens},
                     output_tokens);
  counter.CheckParts({reasoning_tokens, accepted_prediction_tokens,
                      rejected_prediction_tokens},
                     output_tokens);
  return counts;
}

}  // namespace tokenusage
