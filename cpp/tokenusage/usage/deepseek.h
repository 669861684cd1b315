// SPDX-License-Identifier: Apache-2.0

// Counts the usage that DeepSeek's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_DEEPSEEK_H_
#define TOKENUSAGE_USAGE_DEEPSEEK_H_

#include "tokenusage/deepseek/v1/chat.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const deepseek::v1::ChatUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_DEEPSEEK_H_
