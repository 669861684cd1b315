// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/google.h"

#include <array>
#include <string_view>

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::IsSum;
using usage_internal::MakeStated;
using usage_internal::Stated;

// The counts that a list of details states.
struct Modalities {
  Stated text, image, audio, video, document;
};

// The counts that all of Google's usage objects state, under various names.
struct Tokens {
  Stated prompt, tool_use, response, thoughts, cached, total;
  Modalities prompt_by, tool_use_by, response_by, cached_by;
};

Stated TokensOf(const google::v1::InteractionsModalityTokens& detail,
                const char* field) {
  return MakeStated(detail.has_tokens(), detail.tokens(), field);
}

template <typename Detail>
Stated TokensOf(const Detail& detail, const char* field) {
  return MakeStated(detail.has_token_count(), detail.token_count(), field);
}

// Returns the count of a modality; null if it is unknown. Interactions spells
// them in lower case.
Stated* Find(std::string_view modality, Modalities* by) {
  const auto is = [&](std::string_view upper, std::string_view lower) {
    return modality == upper || modality == lower;
  };
  if (is("TEXT", "text")) return &by->text;
  if (is("IMAGE", "image")) return &by->image;
  if (is("AUDIO", "audio")) return &by->audio;
  if (is("VIDEO", "video")) return &by->video;
  if (is("DOCUMENT", "document")) return &by->document;
  if (is("MODALITY_UNSPECIFIED", "")) return &by->text;
  return nullptr;
}

// The paths of a list's counts.
using Paths = std::array<const char*, 5>;
#define BY_MODALITY(list)                                          \
  Paths {                                                          \
    list "[TEXT]", list "[IMAGE]", list "[AUDIO]", list "[VIDEO]", \
        list "[DOCUMENT]"                                          \
  }

template <typename Details>
void Divide(const Details& details, const Paths& paths, Modalities* by) {
  if (details.empty()) return;
  by->text.field = paths[0];
  by->image.field = paths[1];
  by->audio.field = paths[2];
  by->video.field = paths[3];
  by->document.field = paths[4];
  for (const auto& detail : details) {
    Stated* const place = Find(detail.modality(), by);
    if (place != nullptr) *place += TokensOf(detail, place->field);
  }
}

void CheckParts(const Modalities& by, const Stated& whole, Counter* counter) {
  counter->CheckParts({by.text, by.image, by.audio, by.video, by.document},
                      whole);
}

// Sets the measures by modality. Tool results are part of the input.
void CountModalities(const Tokens& tokens, Counter* counter) {
  Modalities input = tokens.prompt_by;
  input.text += tokens.tool_use_by.text;
  input.image += tokens.tool_use_by.image;
  input.audio += tokens.tool_use_by.audio;
  input.video += tokens.tool_use_by.video;
  input.document += tokens.tool_use_by.document;
  counter->Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS, input.text);
  counter->Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS, input.image);
  counter->Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS, input.audio);
  counter->Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS, input.video);
  counter->Set(v1::USAGE_MEASURE_INPUT_DOCUMENT_TOKENS, input.document);

  const Modalities& cached = tokens.cached_by;
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_TEXT_TOKENS, cached.text);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_IMAGE_TOKENS, cached.image);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_AUDIO_TOKENS, cached.audio);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_VIDEO_TOKENS, cached.video);

  const Modalities& output = tokens.response_by;
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS, output.text);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS, output.image);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS, output.audio);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_VIDEO_TOKENS, output.video);
}

// Checks the modalities against their wholes, and the cached ones against the
// prompt's.
void CheckModalities(const Tokens& tokens, Counter* counter) {
  const Modalities& prompt = tokens.prompt_by;
  const Modalities& cached = tokens.cached_by;
  CheckParts(prompt, tokens.prompt, counter);
  CheckParts(tokens.tool_use_by, tokens.tool_use, counter);
  CheckParts(cached, tokens.cached, counter);
  CheckParts(tokens.response_by, tokens.response, counter);
  counter->CheckPart(cached.text, prompt.text);
  counter->CheckPart(cached.image, prompt.image);
  counter->CheckPart(cached.audio, prompt.audio);
  counter->CheckPart(cached.video, prompt.video);
  counter->CheckPart(cached.document, prompt.document);
}

// The prompt includes cached tokens and leaves out tool results. The response
// leaves out thoughts, unless the total shows that it does not.
void CountTokens(const Tokens& tokens, Counter* counter) {
  const Stated input =
      Counter::Sum("all input tokens", {tokens.prompt, tokens.tool_use});
  Stated output = tokens.response;
  if (!IsSum(tokens.total, {input, output})) {
    output =
        Counter::Sum("all output tokens", {tokens.response, tokens.thoughts});
  }
  counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS, input);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TOKENS, output);
  counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, tokens.total);
  counter->Set(v1::USAGE_MEASURE_TOOL_RESULT_TOKENS, tokens.tool_use);
  counter->Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS, tokens.cached);
  counter->Set(v1::USAGE_MEASURE_REASONING_TOKENS, tokens.thoughts);
  counter->CheckSum(tokens.total, {input, output});
  counter->CheckPart(tokens.cached, tokens.prompt);
  counter->CheckPart(tokens.thoughts, output);
  CountModalities(tokens, counter);
  CheckModalities(tokens, counter);
}

// Returns the counts that have the same names in generateContent and in Live.
template <typename Usage>
Tokens CommonTokens(const Usage& usage) {
  Tokens tokens;
  tokens.prompt = STATED("", usage, prompt_token_count);
  tokens.tool_use = STATED("", usage, tool_use_prompt_token_count);
  tokens.thoughts = STATED("", usage, thoughts_token_count);
  tokens.cached = STATED("", usage, cached_content_token_count);
  tokens.total = STATED("", usage, total_token_count);
  Divide(usage.prompt_tokens_details(), BY_MODALITY("prompt_tokens_details"),
         &tokens.prompt_by);
  Divide(usage.tool_use_prompt_tokens_details(),
         BY_MODALITY("tool_use_prompt_tokens_details"), &tokens.tool_use_by);
  Divide(usage.cache_tokens_details(), BY_MODALITY("cache_tokens_details"),
         &tokens.cached_by);
  return tokens;
}

}  // namespace

UsageCounts CountUsage(const google::v1::GenerateContentUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  Tokens tokens = CommonTokens(usage);
  tokens.response = STATED("", usage, candidates_token_count);
  Divide(usage.candidates_tokens_details(),
         BY_MODALITY("candidates_tokens_details"), &tokens.response_by);
  CountTokens(tokens, &counter);
  return counts;
}

UsageCounts CountUsage(const google::v1::LiveUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  Tokens tokens = CommonTokens(usage);
  tokens.response = STATED("", usage, response_token_count);
  Divide(usage.response_tokens_details(),
         BY_MODALITY("response_tokens_details"), &tokens.response_by);
  CountTokens(tokens, &counter);
  return counts;
}

UsageCounts CountUsage(const google::v1::InteractionsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  Tokens tokens;
  tokens.prompt = STATED("", usage, total_input_tokens);
  tokens.tool_use = STATED("", usage, total_tool_use_tokens);
  tokens.response = STATED("", usage, total_output_tokens);
  tokens.thoughts = STATED("", usage, total_thought_tokens);
  tokens.cached = STATED("", usage, total_cached_tokens);
  tokens.total = STATED("", usage, total_tokens);
  Divide(usage.input_tokens_by_modality(),
         BY_MODALITY("input_tokens_by_modality"), &tokens.prompt_by);
  Divide(usage.tool_use_tokens_by_modality(),
         BY_MODALITY("tool_use_tokens_by_modality"), &tokens.tool_use_by);
  Divide(usage.output_tokens_by_modality(),
         BY_MODALITY("output_tokens_by_modality"), &tokens.response_by);
  Divide(usage.cached_tokens_by_modality(),
         BY_MODALITY("cached_tokens_by_modality"), &tokens.cached_by);
  CountTokens(tokens, &counter);

  Stated searches, calls;
  for (const auto& tool : usage.grounding_tool_count()) {
    const Stated count = STATED("grounding_tool_count.", tool, count);
    calls += count;
    if (tool.type() == "google_search") searches += count;
  }
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS, searches);
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS, calls);
  return counts;
}

// An embedding has no output: its input is its total.
UsageCounts CountUsage(const google::v1::PredictEmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  Stated input;
  for (const auto& prediction : usage.predictions()) {
    const auto& statistics = prediction.embeddings().statistics();
    input += STATED("", statistics, token_count);
  }
  counter.Set(v1::USAGE_MEASURE_INPUT_TOKENS, input);
  counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS, input);
  counter.Set(v1::USAGE_MEASURE_CHARACTERS,
              STATED("metadata.", usage.metadata(), billable_character_count));
  return counts;
}

}  // namespace tokenusage
