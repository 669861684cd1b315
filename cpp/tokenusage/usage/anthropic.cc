// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/anthropic.h"

#include "tokenusage/usage/messages_shape.h"

namespace tokenusage {

void usage_internal::Count(const anthropic::v1::MessagesUsage& usage,
                           Counter* counter) {
  CountMessage(usage, counter);
}

std::vector<MessagePass<anthropic::v1::MessagesUsage>> FindOtherPasses(
    const anthropic::v1::MessagesUsage& usage) {
  return usage_internal::PassesOutside(usage);
}

}  // namespace tokenusage
