// SPDX-License-Identifier: Apache-2.0

// Counts a TokenUsage, whose fields are the measures themselves: see
// count_usage.h.

#ifndef TOKENUSAGE_USAGE_TOKEN_USAGE_H_
#define TOKENUSAGE_USAGE_TOKEN_USAGE_H_

#include "tokenusage/usage/count_usage.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage::usage_internal {

// Counts input_tokens + output_tokens as the total if both are set and
// total_tokens is not.
void Count(const v1::TokenUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_TOKEN_USAGE_H_
