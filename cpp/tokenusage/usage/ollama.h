// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Ollama's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_OLLAMA_H_
#define TOKENUSAGE_USAGE_OLLAMA_H_

#include "tokenusage/ollama/v1/chat.pb.h"
#include "tokenusage/ollama/v1/embed.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const ollama::v1::ChatUsage& usage, Counter* counter);
void Count(const ollama::v1::EmbedUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_OLLAMA_H_
