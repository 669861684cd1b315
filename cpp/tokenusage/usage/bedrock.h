// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Amazon Bedrock's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_BEDROCK_H_
#define TOKENUSAGE_USAGE_BEDROCK_H_

#include "tokenusage/bedrock/v1/converse.pb.h"
#include "tokenusage/bedrock/v1/invoke_model.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const bedrock::v1::ConverseUsage& usage, Counter* counter);
void Count(const bedrock::v1::InvokeModelUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_BEDROCK_H_
