// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Google's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_GOOGLE_H_
#define TOKENUSAGE_USAGE_GOOGLE_H_

#include "tokenusage/google/v1/generate_content.pb.h"
#include "tokenusage/google/v1/interactions.pb.h"
#include "tokenusage/google/v1/live.pb.h"
#include "tokenusage/google/v1/predict.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const google::v1::GenerateContentUsage& usage, Counter* counter);
void Count(const google::v1::InteractionsUsage& usage, Counter* counter);
void Count(const google::v1::LiveUsage& usage, Counter* counter);
void Count(const google::v1::PredictEmbeddingsUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_GOOGLE_H_
