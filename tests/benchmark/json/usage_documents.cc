// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/json/usage_documents.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>

namespace tokenusage {
namespace {

// A JSON value to be printed: a scalar's text, or members with or without
// names.
struct Value {
  std::string scalar;
  char open = 0;  // '{' or '['
  std::vector<std::pair<std::string, Value>> members;
};

class Printer {
 public:
  explicit Printer(bool indented) : indented_(indented) {}

  std::string Print(const Value& value) {
    Append(value, 1);
    return std::move(out_);
  }

 private:
  void NewLine(int depth) {
    if (!indented_) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(2 * depth), ' ');
  }

  void Append(const Value& value, int depth) {
    if (value.open == 0) {
      out_ += value.scalar;
      return;
    }
    out_ += value.open;
    bool first = true;
    for (const auto& [name, member] : value.members) {
      if (!first) out_ += ',';
      first = false;
      NewLine(depth + 1);
      if (value.open == '{') {
        out_ += '"' + name + "\":";
        if (indented_) out_ += ' ';
      }
      Append(member, depth + 1);
    }
    if (!first) NewLine(depth);
    out_ += value.open == '{' ? '}' : ']';
  }

  const bool indented_;
  std::string out_;
};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  Value Make(UsageSet set) {
    switch (set) {
      case UsageSet::kOpenAiChat:
      case UsageSet::kOpenAiChatIndented:
        return OpenAiChat(false);
      case UsageSet::kOpenAiChatFull:
        return OpenAiChat(true);
      case UsageSet::kOpenAiResponses:
        return OpenAiResponses();
      case UsageSet::kAnthropic:
        return Anthropic();
      case UsageSet::kGemini:
        return Gemini();
      case UsageSet::kBedrock:
        return Bedrock();
    }
    return {};
  }

  bool Chance(int percent) {
    return std::uniform_int_distribution<>(0, 99)(random_) < percent;
  }

  std::uint64_t Next() { return random_(); }

 private:
  // Returns a count from 1 to `max`, small ones as often as large ones.
  std::int64_t Number(double max) {
    return static_cast<std::int64_t>(std::exp(
        std::uniform_real_distribution<>(0, std::log(max + 1))(random_)));
  }
  Value Count(double max = 200000) {
    return {std::to_string(Number(max)), 0, {}};
  }
  Value CountOrZero(int zero_percent) {
    return Chance(zero_percent) ? Value{"0", 0, {}} : Count();
  }

  Value OpenAiChat(bool full) {
    const auto maybe = [&](int percent) { return full || Chance(percent); };
    Value usage = {"", '{', {}};
    usage.members = {{"prompt_tokens", Count()},
                     {"completion_tokens", Count(16000)},
                     {"total_tokens", Count()}};
    if (maybe(85)) {
      Value details = {"", '{', {}};
      details.members.emplace_back("cached_tokens", CountOrZero(50));
      if (maybe(80))
        details.members.emplace_back("audio_tokens", CountOrZero(95));
      if (maybe(25))
        details.members.emplace_back("cache_write_tokens", CountOrZero(40));
      if (maybe(20)) details.members.emplace_back("text_tokens", Count());
      if (maybe(20))
        details.members.emplace_back("image_tokens", CountOrZero(80));
      usage.members.emplace_back("prompt_tokens_details", details);
    }
    if (maybe(85)) {
      Value details = {"", '{', {}};
      details.members.emplace_back("reasoning_tokens", CountOrZero(50));
      if (maybe(80)) {
        details.members.emplace_back("audio_tokens", CountOrZero(95));
        details.members.emplace_back("accepted_prediction_tokens",
                                     CountOrZero(80));
        details.members.emplace_back("rejected_prediction_tokens",
                                     CountOrZero(80));
      }
      if (maybe(20)) details.members.emplace_back("text_tokens", Count());
      usage.members.emplace_back("completion_tokens_details", details);
    }
    return usage;
  }

  Value OpenAiResponses() {
    Value input = {"", '{', {{"cached_tokens", CountOrZero(40)}}};
    if (Chance(50))
      input.members.emplace_back("cache_write_tokens", CountOrZero(60));
    const Value output = {"", '{', {{"reasoning_tokens", CountOrZero(40)}}};
    return {"",
            '{',
            {{"input_tokens", Count()},
             {"input_tokens_details", input},
             {"output_tokens", Count(16000)},
             {"output_tokens_details", output},
             {"total_tokens", Count()}}};
  }

  Value Anthropic() {
    const Value null = {"null", 0, {}};
    Value usage = {"", '{', {{"input_tokens", Count()}}};
    auto& members = usage.members;
    members.emplace_back("cache_creation_input_tokens", CountOrZero(40));
    members.emplace_back("cache_read_input_tokens", CountOrZero(40));
    if (Chance(75)) {
      members.emplace_back(
          "cache_creation",
          Value{"",
                '{',
                {{"ephemeral_5m_input_tokens", CountOrZero(40)},
                 {"ephemeral_1h_input_tokens", CountOrZero(80)}}});
    }
    members.emplace_back("output_tokens", Count(16000));
    if (Chance(35)) {
      members.emplace_back("output_tokens_details",
                           Value{"", '{', {{"thinking_tokens", Count()}}});
    }
    if (Chance(60)) {
      Value tools = null;
      if (Chance(40)) {
        tools = {"", '{', {{"web_search_requests", Count(9)}}};
        if (Chance(70))
          tools.members.emplace_back("web_fetch_requests", Count(9));
      }
      members.emplace_back("server_tool_use", tools);
    }
    const char* const tiers[] = {"\"standard\"", "\"priority\"", "\"batch\"",
                                 "null"};
    members.emplace_back("service_tier",
                         Value{tiers[Chance(70) ? 0 : Next() % 4], 0, {}});
    if (Chance(50)) {
      members.emplace_back("inference_geo",
                           Value{Chance(50) ? "\"us\"" : "\"global\"", 0, {}});
    }
    return usage;
  }

  Value Modalities(bool single) {
    const char* const names[] = {"\"TEXT\"", "\"IMAGE\"", "\"AUDIO\"",
                                 "\"VIDEO\"", "\"DOCUMENT\""};
    Value list = {"", '[', {}};
    for (std::size_t i = 0; i < 5; ++i) {
      if (i > 0 && (single || !Chance(20))) continue;
      list.members.emplace_back("", Value{"",
                                          '{',
                                          {{"modality", Value{names[i], 0, {}}},
                                           {"tokenCount", Count()}}});
    }
    return list;
  }

  Value Gemini() {
    Value usage = {"", '{', {{"promptTokenCount", Count()}}};
    auto& members = usage.members;
    const bool candidates = Chance(92), cached = Chance(35);
    if (candidates) members.emplace_back("candidatesTokenCount", Count(16000));
    members.emplace_back("totalTokenCount", Count());
    if (cached) members.emplace_back("cachedContentTokenCount", Count());
    members.emplace_back("promptTokensDetails", Modalities(false));
    if (cached) members.emplace_back("cacheTokensDetails", Modalities(true));
    if (candidates && Chance(60))
      members.emplace_back("candidatesTokensDetails", Modalities(true));
    if (Chance(10)) members.emplace_back("toolUsePromptTokenCount", Count());
    if (Chance(55)) members.emplace_back("thoughtsTokenCount", Count());
    if (Chance(50))
      members.emplace_back("trafficType", Value{"\"ON_DEMAND\"", 0, {}});
    return usage;
  }

  Value Bedrock() {
    Value usage = {"",
                   '{',
                   {{"inputTokens", Count()},
                    {"outputTokens", Count(16000)},
                    {"totalTokens", Count()}}};
    auto& members = usage.members;
    if (Chance(60)) {
      members.emplace_back("cacheReadInputTokens", CountOrZero(40));
      members.emplace_back("cacheWriteInputTokens", CountOrZero(60));
      if (Chance(20)) {
        members.emplace_back("cacheDetails",
                             Value{"",
                                   '[',
                                   {{"", Value{"",
                                               '{',
                                               {{"ttl", Value{"\"5m\"", 0, {}}},
                                                {"inputTokens", Count()}}}}}});
      }
    }
    return usage;
  }

  std::mt19937_64 random_;
};

void Pad(std::string* text) { text->reserve(text->size() + kSimdjsonPadding); }

// Returns about 1,750 bytes of a reply.
std::string Prose(ReplyText text, Maker* maker) {
  static constexpr const char* kWords[] = {
      "the ", "model ",  "answers ", "with ",    "a ",  "number ",
      "of ",  "tokens ", "that ",    "depends ", "on ", "context. "};
  static constexpr const char* kAccented[] = {
      "déjà ",  "où ",    "élève ", "über ", "größer ",
      "naïve ", "señor ", "– ",     "… ",    "français "};
  static constexpr const char* kEscapes[] = {"\\n", "\\\"", "\\\\", "\\t",
                                             "\\u00e9"};
  const int accent_percent = text == ReplyText::kAccents ? 30 : 0;
  const int escape_percent = text == ReplyText::kManyEscapes  ? 40
                             : text == ReplyText::kFewEscapes ? 5
                                                              : 0;
  std::string prose;
  while (prose.size() < 1750) {
    prose += maker->Chance(accent_percent) ? kAccented[maker->Next() % 10]
                                           : kWords[maker->Next() % 12];
    if (maker->Chance(escape_percent)) prose += kEscapes[maker->Next() % 5];
  }
  return prose;
}

}  // namespace

std::vector<std::string> MakeUsageDocuments(UsageSet set) {
  Maker maker(4096 + static_cast<unsigned>(set));
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < kUsageDocumentCount; ++i) {
    documents.push_back(
        Printer(set == UsageSet::kOpenAiChatIndented).Print(maker.Make(set)));
    Pad(&documents.back());
  }
  return documents;
}

std::vector<std::string> MakeChatReplies(ReplyText text) {
  Maker maker(2300 + static_cast<unsigned>(text));
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < kUsageDocumentCount / 2; ++i) {
    documents.push_back(
        R"({"id":"chatcmpl-C0nV3rS4ti0n","object":"chat.completion","created":1785000000,)"
        R"("model":"gpt-5.6-2026-07-09","choices":[{"index":0,"message":{"role":"assistant","content":")" +
        Prose(text, &maker) +
        R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":)" +
        Printer(false).Print(maker.Make(UsageSet::kOpenAiChat)) +
        R"(,"service_tier":"default","system_fingerprint":"fp_50cad350e4"})");
    Pad(&documents.back());
  }
  return documents;
}

}  // namespace tokenusage
