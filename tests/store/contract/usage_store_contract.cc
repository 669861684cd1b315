// SPDX-License-Identifier: Apache-2.0

#include "tests/store/contract/usage_store_contract.h"

#include <utility>

#include "tests/support/records.h"
#include "tests/support/status_matchers.h"

namespace tokenusage::testing {

std::vector<AppendOutcome> UsageStoreContract::Append(
    const std::vector<v1::UsageRecord>& records) {
  AppendResult result = store_->Append("p", CheckedOf(records));
  EXPECT_THAT(result, IsOk());
  return result.ok() ? *std::move(result) : std::vector<AppendOutcome>();
}

AppendOutcome UsageStoreContract::AppendOne(v1::UsageRecord record) {
  const std::vector<AppendOutcome> outcomes = Append({std::move(record)});
  EXPECT_EQ(outcomes.size(), 1u);
  return outcomes.at(0);
}

}  // namespace tokenusage::testing
