// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/token_usage.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {

void Count(const v1::TokenUsage& usage, Counter* counter) {
  TokenParts parts;
#define PART(name) parts.name = STATED("", usage, name##_tokens)
  PART(total);
  PART(input);
  PART(input_text);
  PART(input_image);
  PART(input_audio);
  PART(input_video);
  PART(input_document);
  PART(cache_read);
  PART(cache_read_text);
  PART(cache_read_image);
  PART(cache_read_audio);
  PART(cache_read_video);
  PART(cache_write);
  PART(cache_write_5m);
  PART(cache_write_1h);
  PART(tool_result);
  PART(output);
  PART(output_text);
  PART(output_image);
  PART(output_audio);
  PART(output_video);
  PART(reasoning);
  PART(accepted_prediction);
  PART(rejected_prediction);
#undef PART
  CountTokens(parts, counter);
#define OTHER(MEASURE, name) \
  counter->Set(v1::USAGE_MEASURE_##MEASURE, STATED("", usage, name))
  OTHER(BILLED_INPUT_TOKENS, billed_input_tokens);
  OTHER(BILLED_OUTPUT_TOKENS, billed_output_tokens);
  OTHER(INPUT_AUDIO_SECONDS, input_audio_seconds);
  OTHER(IMAGES, images);
  OTHER(PAGES, pages);
  OTHER(CHARACTERS, characters);
  OTHER(SEARCH_UNITS, search_units);
  OTHER(WEB_SEARCH_REQUESTS, web_search_requests);
  OTHER(TOOL_CALLS, tool_calls);
  OTHER(COST_USD, cost_usd);
#undef OTHER
}

}  // namespace tokenusage::usage_internal
