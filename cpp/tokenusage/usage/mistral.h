// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Mistral's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_MISTRAL_H_
#define TOKENUSAGE_USAGE_MISTRAL_H_

#include "tokenusage/mistral/v1/chat.pb.h"
#include "tokenusage/mistral/v1/conversations.pb.h"
#include "tokenusage/mistral/v1/ocr.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const mistral::v1::ChatUsage& usage, Counter* counter);
void Count(const mistral::v1::ConversationsUsage& usage, Counter* counter);
void Count(const mistral::v1::OcrUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_MISTRAL_H_
