// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Perplexity's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_PERPLEXITY_H_
#define TOKENUSAGE_USAGE_PERPLEXITY_H_

#include "tokenusage/perplexity/v1/chat.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const perplexity::v1::ChatUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_PERPLEXITY_H_
