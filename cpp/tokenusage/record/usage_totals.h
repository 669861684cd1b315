// SPDX-License-Identifier: Apache-2.0

// Converts exact sums to the messages that state them, and back.
//
//   v1::UsageTotals totals = ToUsageTotals(sum);
//   std::optional<UsageSum> same = FromUsageTotals(totals);

#ifndef TOKENUSAGE_RECORD_USAGE_TOTALS_H_
#define TOKENUSAGE_RECORD_USAGE_TOTALS_H_

#include <optional>
#include <string>

#include "tokenusage/record/usage_sum.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Returns the message that states the sum. No amount may be negative.
// Thread-safe.
v1::UsageTotals ToUsageTotals(const UsageSum& sum);

// Returns the sum that `exact` and the numbers of records state; nullopt if an
// `exact` is not a valid decimal. Thread-safe.
std::optional<UsageSum> FromUsageTotals(const v1::UsageTotals& totals);

// Returns the total of one measure, or null if it is not set. Thread-safe.
const v1::MeasureTotal* FindTotal(const v1::UsageTotals& totals,
                                  v1::UsageMeasure measure);

// Returns the name of a measure, such as "input_tokens". Thread-safe.
std::string NameOf(v1::UsageMeasure measure);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_USAGE_TOTALS_H_
