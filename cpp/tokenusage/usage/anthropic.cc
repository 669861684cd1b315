// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/anthropic.h"

#include "tokenusage/usage/messages_shape.h"

namespace tokenusage {

using usage_internal::Counter;

UsageCounts CountUsage(const anthropic::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountMessage(&counter, usage);
  return counts;
}

std::vector<MessagePass<anthropic::v1::MessagesUsage>> FindOtherPasses(
    const anthropic::v1::MessagesUsage& usage) {
  return usage_internal::PassesOutside(usage);
}

}  // namespace tokenusage
