// SPDX-License-Identifier: Apache-2.0

// Counts the usage that OpenAI-compatible servers state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_OPENAI_COMPATIBLE_H_
#define TOKENUSAGE_USAGE_OPENAI_COMPATIBLE_H_

#include "tokenusage/openai_compatible/v1/chat.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const openai_compatible::v1::ChatUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_OPENAI_COMPATIBLE_H_
