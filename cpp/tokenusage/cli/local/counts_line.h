// SPDX-License-Identifier: Apache-2.0

// Formats the counts of a usage as a line of JSON.

#ifndef TOKENUSAGE_CLI_LOCAL_COUNTS_LINE_H_
#define TOKENUSAGE_CLI_LOCAL_COUNTS_LINE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns a line such as {"message":"tokenusage.openai.v1.ChatUsage",
// "model":"m","complete":true,"counts":{"total_tokens":"9"},
// "inconsistencies":[]}, with exact decimals, "unknown_reason" if the usage is
// unknown, and `detail`, the member that it lacks, unless it is empty.
absl::StatusOr<std::string> CountsLine(const v1::UsageRecord& record,
                                       bool is_complete,
                                       std::string_view detail);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_LOCAL_COUNTS_LINE_H_
