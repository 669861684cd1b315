// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Anthropic's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//   for (const auto& pass : FindOtherPasses(usage)) {
//     Report(pass.model, CountUsage(pass.usage));
//   }
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_ANTHROPIC_H_
#define TOKENUSAGE_USAGE_ANTHROPIC_H_

#include <vector>

#include "tokenusage/anthropic/v1/messages.pb.h"
#include "tokenusage/usage/message_pass.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

// Counts the message itself, whose counts include only some of its iterations:
// see FindOtherPasses.
UsageCounts CountUsage(const anthropic::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

// Returns the iterations that are billed in addition to the message's own
// counts: compactions, advisor messages, and models that declined before a
// fallback answered. Iterations of unknown types are left out, since the
// message's counts may include them.
std::vector<MessagePass<anthropic::v1::MessagesUsage>> FindOtherPasses(
    const anthropic::v1::MessagesUsage& usage);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_ANTHROPIC_H_
