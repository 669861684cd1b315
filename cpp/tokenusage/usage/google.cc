// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/google.h"

#include <array>
#include <string_view>

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {
namespace {

// A modality: its names in lists, which Interactions spells in lower case, and
// the measures of its counts.
struct Modality {
  std::string_view name;
  std::string_view lower_name;
  v1::UsageMeasure input;
  v1::UsageMeasure cache_read = v1::USAGE_MEASURE_UNSPECIFIED;  // none
  v1::UsageMeasure output = v1::USAGE_MEASURE_UNSPECIFIED;      // none
};
constexpr std::array<Modality, 5> kModalities = {{
    {"TEXT", "text", v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
     v1::USAGE_MEASURE_CACHE_READ_TEXT_TOKENS,
     v1::USAGE_MEASURE_OUTPUT_TEXT_TOKENS},
    {"IMAGE", "image", v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
     v1::USAGE_MEASURE_CACHE_READ_IMAGE_TOKENS,
     v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS},
    {"AUDIO", "audio", v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
     v1::USAGE_MEASURE_CACHE_READ_AUDIO_TOKENS,
     v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS},
    {"VIDEO", "video", v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS,
     v1::USAGE_MEASURE_CACHE_READ_VIDEO_TOKENS,
     v1::USAGE_MEASURE_OUTPUT_VIDEO_TOKENS},
    {"DOCUMENT", "document", v1::USAGE_MEASURE_INPUT_DOCUMENT_TOKENS},
}};

// The counts that a list of details states, in the order of kModalities.
using ModalityCounts = std::array<Stated, kModalities.size()>;

// The counts that all of Google's usage objects state, under various names.
struct GoogleTokens {
  Stated prompt, tool_use, response, thoughts, cached, total;
  ModalityCounts prompt_by, tool_use_by, response_by, cached_by;
};

Stated TokensOf(const google::v1::InteractionsModalityTokens& detail,
                const char* field) {
  return MakeStated(detail.has_tokens(), detail.tokens(), field);
}

template <typename Detail>
Stated TokensOf(const Detail& detail, const char* field) {
  return MakeStated(detail.has_token_count(), detail.token_count(), field);
}

// Returns the count of a modality; null if the modality is unknown.
Stated* Find(std::string_view name, ModalityCounts* by) {
  if (name.empty() || name == "MODALITY_UNSPECIFIED") return &(*by)[0];  // text
  for (std::size_t i = 0; i < by->size(); ++i) {
    if (name == kModalities[i].name || name == kModalities[i].lower_name) {
      return &(*by)[i];
    }
  }
  return nullptr;
}

// The paths of a list's counts.
using Paths = std::array<const char*, kModalities.size()>;
#define BY_MODALITY(list)                                          \
  Paths {                                                          \
    list "[TEXT]", list "[IMAGE]", list "[AUDIO]", list "[VIDEO]", \
        list "[DOCUMENT]"                                          \
  }

template <typename Details>
void AddByModality(const Details& details, const Paths& paths,
                   ModalityCounts* by) {
  if (details.empty()) return;
  for (std::size_t i = 0; i < by->size(); ++i) (*by)[i].field = paths[i];
  for (const auto& detail : details) {
    Stated* const place = Find(detail.modality(), by);
    if (place != nullptr) *place += TokensOf(detail, place->field);
  }
}

// Sets the measures by modality. Tool results are part of the input.
void CountModalities(const GoogleTokens& tokens, Counter* counter) {
  for (std::size_t i = 0; i < kModalities.size(); ++i) {
    const Modality& modality = kModalities[i];
    Stated input = tokens.prompt_by[i];
    input += tokens.tool_use_by[i];
    counter->Set(modality.input, input);
    if (modality.cache_read != v1::USAGE_MEASURE_UNSPECIFIED) {
      counter->Set(modality.cache_read, tokens.cached_by[i]);
    }
    if (modality.output != v1::USAGE_MEASURE_UNSPECIFIED) {
      counter->Set(modality.output, tokens.response_by[i]);
    }
  }
}

void CheckParts(const ModalityCounts& by, const Stated& whole,
                Counter* counter) {
  counter->CheckParts({by[0], by[1], by[2], by[3], by[4]}, whole);
}

// Checks the modalities against their wholes, and the cached ones against the
// prompt's.
void CheckModalities(const GoogleTokens& tokens, Counter* counter) {
  CheckParts(tokens.prompt_by, tokens.prompt, counter);
  CheckParts(tokens.tool_use_by, tokens.tool_use, counter);
  CheckParts(tokens.cached_by, tokens.cached, counter);
  CheckParts(tokens.response_by, tokens.response, counter);
  for (std::size_t i = 0; i < kModalities.size(); ++i) {
    counter->CheckPart(tokens.cached_by[i], tokens.prompt_by[i]);
  }
}

// Counts all tokens. The prompt includes cached tokens and leaves out tool
// results. The response leaves out thoughts, unless the total shows that it
// does not.
void CountGoogleTokens(const GoogleTokens& tokens, Counter* counter) {
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
GoogleTokens CommonTokens(const Usage& usage) {
  GoogleTokens tokens;
  tokens.prompt = STATED("", usage, prompt_token_count);
  tokens.tool_use = STATED("", usage, tool_use_prompt_token_count);
  tokens.thoughts = STATED("", usage, thoughts_token_count);
  tokens.cached = STATED("", usage, cached_content_token_count);
  tokens.total = STATED("", usage, total_token_count);
  AddByModality(usage.prompt_tokens_details(),
                BY_MODALITY("prompt_tokens_details"), &tokens.prompt_by);
  AddByModality(usage.tool_use_prompt_tokens_details(),
                BY_MODALITY("tool_use_prompt_tokens_details"),
                &tokens.tool_use_by);
  AddByModality(usage.cache_tokens_details(),
                BY_MODALITY("cache_tokens_details"), &tokens.cached_by);
  return tokens;
}

}  // namespace

void Count(const google::v1::GenerateContentUsage& usage, Counter* counter) {
  GoogleTokens tokens = CommonTokens(usage);
  tokens.response = STATED("", usage, candidates_token_count);
  AddByModality(usage.candidates_tokens_details(),
                BY_MODALITY("candidates_tokens_details"), &tokens.response_by);
  CountGoogleTokens(tokens, counter);
}

void Count(const google::v1::LiveUsage& usage, Counter* counter) {
  GoogleTokens tokens = CommonTokens(usage);
  tokens.response = STATED("", usage, response_token_count);
  AddByModality(usage.response_tokens_details(),
                BY_MODALITY("response_tokens_details"), &tokens.response_by);
  CountGoogleTokens(tokens, counter);
}

void Count(const google::v1::InteractionsUsage& usage, Counter* counter) {
  GoogleTokens tokens;
  tokens.prompt = STATED("", usage, total_input_tokens);
  tokens.tool_use = STATED("", usage, total_tool_use_tokens);
  tokens.response = STATED("", usage, total_output_tokens);
  tokens.thoughts = STATED("", usage, total_thought_tokens);
  tokens.cached = STATED("", usage, total_cached_tokens);
  tokens.total = STATED("", usage, total_tokens);
  AddByModality(usage.input_tokens_by_modality(),
                BY_MODALITY("input_tokens_by_modality"), &tokens.prompt_by);
  AddByModality(usage.tool_use_tokens_by_modality(),
                BY_MODALITY("tool_use_tokens_by_modality"),
                &tokens.tool_use_by);
  AddByModality(usage.output_tokens_by_modality(),
                BY_MODALITY("output_tokens_by_modality"), &tokens.response_by);
  AddByModality(usage.cached_tokens_by_modality(),
                BY_MODALITY("cached_tokens_by_modality"), &tokens.cached_by);
  CountGoogleTokens(tokens, counter);

  Stated searches, calls;
  for (const auto& tool : usage.grounding_tool_count()) {
    const Stated count = STATED("grounding_tool_count.", tool, count);
    calls += count;
    if (tool.type() == "google_search") searches += count;
  }
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS, searches);
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS, calls);
}

// Counts the input as the total, too, since an embedding has no output.
void Count(const google::v1::PredictEmbeddingsUsage& usage, Counter* counter) {
  Stated input;
  for (const auto& prediction : usage.predictions()) {
    const auto& statistics = prediction.embeddings().statistics();
    input += STATED("", statistics, token_count);
  }
  counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS, input);
  counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, input);
  counter->Set(v1::USAGE_MEASURE_CHARACTERS,
               STATED("metadata.", usage.metadata(), billable_character_count));
}

}  // namespace tokenusage::usage_internal
