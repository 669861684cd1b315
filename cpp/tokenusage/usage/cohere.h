// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Cohere's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_COHERE_H_
#define TOKENUSAGE_USAGE_COHERE_H_

#include "tokenusage/cohere/v2/chat.pb.h"
#include "tokenusage/cohere/v2/meta.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const cohere::v2::ChatUsage& usage, Counter* counter);
void Count(const cohere::v2::MetaUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_COHERE_H_
