// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/anthropic.h"

#include "tokenusage/usage/messages_shape.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::PassPlace;

UsageCounts CountUsage(const anthropic::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountMessage(&counter, usage);
  return counts;
}

std::vector<AnthropicPass> FindOtherPasses(
    const anthropic::v1::MessagesUsage& usage) {
  std::vector<AnthropicPass> passes;
  usage_internal::ForEachPass(usage, [&](const auto& pass, PassPlace place) {
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

}  // namespace tokenusage
