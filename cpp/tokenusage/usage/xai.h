// SPDX-License-Identifier: Apache-2.0

// Counts the usage that xAI's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_XAI_H_
#define TOKENUSAGE_USAGE_XAI_H_

#include "tokenusage/usage/count_usage.h"
#include "tokenusage/xai/v1/chat.pb.h"
#include "tokenusage/xai/v1/images.pb.h"
#include "tokenusage/xai/v1/responses.pb.h"
#include "tokenusage/xai/v1/sampling.pb.h"

namespace tokenusage::usage_internal {

void Count(const xai::v1::ChatUsage& usage, Counter* counter);
void Count(const xai::v1::ImagesUsage& usage, Counter* counter);
void Count(const xai::v1::ResponsesUsage& usage, Counter* counter);
void Count(const xai::v1::SamplingUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_XAI_H_
