// SPDX-License-Identifier: Apache-2.0

// Compares extraction with simdjson on demand by hand and with ParseJsonAt, and
// counting a usage with parsing it.
//
//   bazel run -c opt //tests/benchmark/extract:extract_benchmark
//
// Each row has the least time of many interleaved rounds, in microseconds per
// stream or response, and tokenusage's time divided by the other.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "simdjson.h"
#include "tokenusage/extract/usage_extractor.h"
#include "tokenusage/json/json.h"
#include "tokenusage/openai/v1/chat.pb.h"
#include "tokenusage/openai/v1/images.pb.h"
#include "tokenusage/usage/openai.h"

namespace tokenusage {
namespace {

constexpr char kUsage[] =
    R"({"prompt_tokens":3100,"completion_tokens":900,"total_tokens":4000,)"
    R"("prompt_tokens_details":{"cached_tokens":2304,"audio_tokens":0},)"
    R"("completion_tokens_details":{"reasoning_tokens":512,"audio_tokens":0,)"
    R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})";

std::string Event(std::string_view choices, std::string_view usage) {
  return absl::StrCat(
      R"(data: {"id":"chatcmpl-C9xQ1bZ7YwKfV3tR8mNs","object":)"
      R"("chat.completion.chunk","created":1780000000,"model":)"
      R"("gpt-5.6-2026-07-01","service_tier":"default","system_fingerprint":)"
      R"("fp_44709d6fcb","choices":[)",
      std::string(choices), "]", std::string(usage), "}\n\n");
}

// Returns a stream of 200 events and [DONE]. With `nulls` each states usage as
// null, as OpenAI does if usage is asked for.
std::string ChatStream(bool nulls) {
  const char* const words[] = {
      " the",   " usage",     " of", " a \\\"model\\\"",
      "\\n\\n", " caf\u00e9", ".",   " token"};
  std::string stream;
  const char* const usage = nulls ? R"(,"usage":null)" : "";
  for (int i = 0; i < 199; ++i) {
    stream +=
        Event(absl::StrCat(R"({"index":0,"delta":{"content":")", words[i % 8],
                           R"("},"logprobs":null,"finish_reason":null})"),
              usage);
  }
  return stream + Event("", absl::StrCat(R"(,"usage":)", kUsage)) +
         "data: [DONE]\n\n";
}

using simdjson::ondemand::object;
using simdjson::ondemand::parser;

template <typename Set>
void Read(object* parent, std::string_view name, Set set) {
  std::int64_t number;
  if (!(*parent)[name].get_int64().get(number)) set(number);
}

bool ReadUsage(object usage, openai::v1::ChatUsage* out) {
  Read(&usage, "prompt_tokens",
       [&](std::int64_t n) { out->set_prompt_tokens(n); });
  Read(&usage, "completion_tokens",
       [&](std::int64_t n) { out->set_completion_tokens(n); });
  Read(&usage, "total_tokens",
       [&](std::int64_t n) { out->set_total_tokens(n); });
  object details;
  if (!usage["prompt_tokens_details"].get_object().get(details)) {
    auto* in = out->mutable_prompt_tokens_details();
    Read(&details, "cached_tokens",
         [&](std::int64_t n) { in->set_cached_tokens(n); });
    Read(&details, "audio_tokens",
         [&](std::int64_t n) { in->set_audio_tokens(n); });
  }
  if (!usage["completion_tokens_details"].get_object().get(details)) {
    auto* in = out->mutable_completion_tokens_details();
    Read(&details, "reasoning_tokens",
         [&](std::int64_t n) { in->set_reasoning_tokens(n); });
    Read(&details, "audio_tokens",
         [&](std::int64_t n) { in->set_audio_tokens(n); });
    Read(&details, "accepted_prediction_tokens",
         [&](std::int64_t n) { in->set_accepted_prediction_tokens(n); });
    Read(&details, "rejected_prediction_tokens",
         [&](std::int64_t n) { in->set_rejected_prediction_tokens(n); });
  }
  return out->total_tokens() == 4000;
}

// Finds the event with usage by its text, and reads only that one.
bool ExtractByHand(std::string_view stream, parser* parser) {
  openai::v1::ChatUsage usage;
  std::string id, model;
  bool found = false;
  while (!stream.empty()) {
    const std::size_t end = std::min(stream.find('\n'), stream.size());
    const std::string_view line = stream.substr(0, end);
    stream.remove_prefix(std::min(end + 1, stream.size()));
    if (line.substr(0, 6) != "data: ") continue;
    // memmem is several times as fast as std::string_view::find.
    constexpr std::string_view kMember = "\"usage\":{";
    if (memmem(line.data(), line.size(), kMember.data(), kMember.size()) ==
        nullptr) {
      continue;
    }
    const simdjson::padded_string json(line.substr(6));
    simdjson::ondemand::document document;
    object root, counts;
    std::string_view text;
    if (parser->iterate(json).get(document) ||
        document.get_object().get(root)) {
      return false;
    }
    if (!root["id"].get_string().get(text)) id = text;
    if (!root["model"].get_string().get(text)) model = text;
    found =
        !root["usage"].get_object().get(counts) && ReadUsage(counts, &usage);
  }
  return found && !id.empty() && !model.empty();
}

bool ExtractStream(std::string_view stream, std::size_t chunk_size) {
  UsageExtractor extractor(*FindDialect("openai.chat"));
  for (; !stream.empty();
       stream.remove_prefix(std::min(chunk_size, stream.size()))) {
    if (!extractor.Feed(stream.substr(0, chunk_size)).ok()) return false;
  }
  const auto extraction = extractor.Finish();
  return extraction.ok() && extraction->is_complete &&
         extraction->records[0].openai_chat().total_tokens() == 4000 &&
         !extraction->records[0].model().empty();
}

struct Contender {
  const char* name;
  std::function<bool()> pass;
  double least = 1e300;
};

// Returns whether all answers were right.
bool Race(const char* row, std::vector<Contender> contenders) {
  using Clock = std::chrono::steady_clock;
  for (int round = 0; round < 300; ++round) {
    for (Contender& contender : contenders) {
      constexpr int kPasses = 10;
      const Clock::time_point begin = Clock::now();
      for (int i = 0; i < kPasses; ++i) {
        if (!contender.pass()) return false;
      }
      const std::chrono::duration<double, std::micro> took =
          Clock::now() - begin;
      contender.least = std::min(contender.least, took.count() / kPasses);
    }
  }
  for (const Contender& contender : contenders) {
    std::printf("%-32s %-12s %8.2f us  %.2f\n", row, contender.name,
                contender.least, contenders[0].least / contender.least);
  }
  return true;
}

bool RaceStream(const char* row, bool nulls, std::size_t chunk_size) {
  const std::string stream = ChatStream(nulls);
  parser parser;
  return Race(
      row, {{"tokenusage", [&] { return ExtractStream(stream, chunk_size); }},
            {"simdjson", [&] { return ExtractByHand(stream, &parser); }}});
}

bool RaceImage() {
  const std::string body =
      absl::StrCat(R"({"created":1780000000,"data":[{"b64_json":")",
                   std::string(std::size_t{1} << 20, 'A'),
                   R"("}],"usage":{"total_tokens":4570,"input_tokens":410,)"
                   R"("output_tokens":4160,"input_tokens_details":)"
                   R"({"text_tokens":22,"image_tokens":388}}})");
  const UsageExtractor extractor(*FindDialect("openai.images"));
  return Race("1 MB image response",
              {{"tokenusage", [&] { return extractor.Extract(body).ok(); }},
               {"ParseJsonAt", [&] {
                  openai::v1::ImagesUsage usage;
                  return ParseJsonAt(body, "usage", &usage).ok();
                }}});
}

constexpr int kUsages = 1000;  // so that a microsecond is a nanosecond of each

// Parses usages in protobuf's binary encoding, as the service does.
bool ParseUsages(const std::string& bytes, bool counts) {
  alignas(8) char block[4096];
  ::google::protobuf::ArenaOptions options;
  options.initial_block = block;
  options.initial_block_size = sizeof(block);
  ::google::protobuf::Arena arena(options);
  for (int i = 0; i < kUsages; ++i) {
    arena.Reset();
    auto* const usage = openai::v1::ChatUsage::default_instance().New(&arena);
    if (!usage->ParseFromString(bytes)) return false;
    if (counts && !CountUsage(*usage).Has(v1::USAGE_MEASURE_TOTAL_TOKENS)) {
      return false;
    }
  }
  return true;
}

bool RaceCounts() {
  openai::v1::ChatUsage usage;
  if (!ParseJson(kUsage, &usage).ok()) return false;
  const std::string bytes = usage.SerializeAsString();
  return Race("1,000 chat usages, binary",
              {{"and counted", [&] { return ParseUsages(bytes, true); }},
               {"parsed", [&] { return ParseUsages(bytes, false); }}});
}

}  // namespace
}  // namespace tokenusage

int main() {
  using tokenusage::RaceStream;
  const bool good = RaceStream("200 events", false, 1 << 20) &&
                    RaceStream("200 events, chunks of 4 KiB", false, 4096) &&
                    RaceStream("200 events, usage null", true, 1 << 20) &&
                    tokenusage::RaceImage() && tokenusage::RaceCounts();
  if (!good) std::puts("a contender gave a wrong answer");
  return good ? 0 : 1;
}
