// SPDX-License-Identifier: Apache-2.0

// Counts the usage objects of Anthropic's Messages API, and those of other
// providers that have the same members. Only for the files of this folder.

#ifndef TOKENUSAGE_USAGE_MESSAGES_SHAPE_H_
#define TOKENUSAGE_USAGE_MESSAGES_SHAPE_H_

#include <string_view>
#include <vector>

#include "tokenusage/usage/message_pass.h"
#include "tokenusage/usage/stated.h"
#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {

// The place of a pass: inside or outside the counts of its message.
enum class PassPlace { kInside, kOutside, kUnknown };

// Returns where a pass of the type is counted. `has_fallback` says whether the
// message has a pass of the type "fallback_message".
inline PassPlace PlaceOfPass(std::string_view type, bool has_fallback) {
  if (type == "fallback_message") return PassPlace::kInside;
  if (type == "message") {
    return has_fallback ? PassPlace::kOutside : PassPlace::kInside;
  }
  if (type == "compaction" || type == "advisor_message") {
    return PassPlace::kOutside;
  }
  return PassPlace::kUnknown;
}

// Calls `visit(pass, place)` for each pass of the message.
template <typename Usage, typename Visitor>
void ForEachPass(const Usage& usage, const Visitor& visit) {
  bool has_fallback = false;
  for (const auto& pass : usage.iterations()) {
    has_fallback = has_fallback || pass.type() == "fallback_message";
  }
  for (const auto& pass : usage.iterations()) {
    visit(pass, PlaceOfPass(pass.type(), has_fallback));
  }
}

// Returns the passes that the message's counts do not include.
template <typename Usage>
std::vector<MessagePass<Usage>> PassesOutside(const Usage& usage) {
  std::vector<MessagePass<Usage>> passes;
  ForEachPass(usage, [&](const auto& pass, PassPlace place) {
    if (place != PassPlace::kOutside) return;
    auto& [model, type, counts] = passes.emplace_back();
    model = pass.model();
    type = pass.type();
#define COPY(name) \
  if (pass.has_##name()) counts.set_##name(pass.name())
    COPY(input_tokens);
    COPY(output_tokens);
    COPY(cache_read_input_tokens);
    COPY(cache_creation_input_tokens);
#undef COPY
    if (pass.has_cache_creation()) {
      *counts.mutable_cache_creation() = pass.cache_creation();
    }
  });
  return passes;
}

// The counts that a message and each of its passes state.
struct PassCounts {
  Stated input;
  Stated output;
  Stated read;
  Stated write;
};

// Checks that the passes inside the message's counts add up to them. Checks
// nothing if there is a pass of an unknown type, which may be inside or not.
template <typename Usage>
void CheckPasses(const Usage& usage, const PassCounts& all, Counter* counter) {
  PassCounts sums;
  sums.input.field = "iterations.input_tokens";
  sums.output.field = "iterations.output_tokens";
  sums.read.field = "iterations.cache_read_input_tokens";
  sums.write.field = "iterations.cache_creation_input_tokens";
  int inside = 0;
  bool known = true;
  const auto add = [&inside](const Stated& count, Stated* sum) {
    sum->is_set = count.is_set && (sum->is_set || inside == 0);
    sum->amount += count.amount;
  };
  ForEachPass(usage, [&](const auto& pass, PassPlace place) {
    known = known && place != PassPlace::kUnknown;
    if (place != PassPlace::kInside) return;
    add(STATED("", pass, input_tokens), &sums.input);
    add(STATED("", pass, output_tokens), &sums.output);
    add(STATED("", pass, cache_read_input_tokens), &sums.read);
    add(STATED("", pass, cache_creation_input_tokens), &sums.write);
    ++inside;
  });
  if (!known) return;
  counter->CheckSum(all.input, {sums.input});
  counter->CheckSum(all.output, {sums.output});
  counter->CheckSum(all.read, {sums.read});
  counter->CheckSum(all.write, {sums.write});
}

// Counts a message. Its input_tokens exclude what was read from a cache or
// written to one, and it states no total.
template <typename Usage>
void CountMessage(const Usage& usage, Counter* counter) {
  const Stated uncached = STATED("", usage, input_tokens);
  TokenParts parts;
  parts.cache_read = STATED("", usage, cache_read_input_tokens);
  const auto& creation = usage.cache_creation();
  parts.cache_write_5m =
      STATED("cache_creation.", creation, ephemeral_5m_input_tokens);
  parts.cache_write_1h =
      STATED("cache_creation.", creation, ephemeral_1h_input_tokens);
  // The whole may be more than the sum of the two, since streams update only
  // the whole.
  parts.cache_write = STATED("", usage, cache_creation_input_tokens);
  if (!parts.cache_write.is_set) {
    parts.cache_write = Counter::Sum(
        "cache_creation", {parts.cache_write_5m, parts.cache_write_1h});
  }
  if (uncached.is_set) {
    parts.input = Counter::Sum("all input tokens",
                               {uncached, parts.cache_read, parts.cache_write});
  }
  parts.output = STATED("", usage, output_tokens);
  parts.reasoning = STATED("output_tokens_details.",
                           usage.output_tokens_details(), thinking_tokens);
  CountTokens(parts, counter);

  const auto& tools = usage.server_tool_use();
  const Stated searches =
      counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
                   STATED("server_tool_use.", tools, web_search_requests));
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS,
               Counter::Sum("server_tool_use",
                            {searches, STATED("server_tool_use.", tools,
                                              web_fetch_requests)}));
  if (!usage.iterations().empty()) {
    CheckPasses(usage,
                {uncached, parts.output, parts.cache_read, parts.cache_write},
                counter);
  }
}

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_MESSAGES_SHAPE_H_
