// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Groq's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_GROQ_H_
#define TOKENUSAGE_USAGE_GROQ_H_

#include "tokenusage/groq/v1/chat.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const groq::v1::ChatUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_GROQ_H_
