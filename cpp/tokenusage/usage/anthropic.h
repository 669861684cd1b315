// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Anthropic's endpoints state: see count_usage.h.
//
//   UsageCounts counts = CountUsage(usage);
//   for (const auto& pass : FindOtherPasses(usage)) {
//     Report(pass.model, CountUsage(pass.usage));
//   }

#ifndef TOKENUSAGE_USAGE_ANTHROPIC_H_
#define TOKENUSAGE_USAGE_ANTHROPIC_H_

#include <vector>

#include "tokenusage/anthropic/v1/messages.pb.h"
#include "tokenusage/usage/count_usage.h"
#include "tokenusage/usage/message_pass.h"

namespace tokenusage::usage_internal {

// Counts the message itself, whose counts include only some of its iterations:
// see FindOtherPasses.
void Count(const anthropic::v1::MessagesUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

namespace tokenusage {

// Returns the iterations that are billed in addition to the message's own
// counts: compactions, advisor messages, and models that declined before a
// fallback answered. Iterations of unknown types are left out, since the
// message's counts may include them.
std::vector<MessagePass<anthropic::v1::MessagesUsage>> FindOtherPasses(
    const anthropic::v1::MessagesUsage& usage);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_ANTHROPIC_H_
