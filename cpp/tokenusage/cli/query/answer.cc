// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/query/answer.h"

#include "absl/status/status.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {

absl::StatusOr<UsageSum> SumOf(const v1::UsageTotals& totals) {
  std::optional<UsageSum> sum = FromUsageTotals(totals);
  if (sum) return *std::move(sum);
  return absl::UnknownError(
      "the service's answer: expected totals in decimals, found others");
}

std::optional<Amount> TotalNamed(const std::string& name, const UsageSum& sum) {
  if (name == "record_count") return Amount::FromInteger(sum.record_count);
  const auto* const field = v1::TokenUsage::descriptor()->FindFieldByName(name);
  if (field == nullptr) return std::nullopt;
  const MeasureSum* const found =
      sum.Find(static_cast<v1::UsageMeasure>(field->number()));
  if (found == nullptr) return std::nullopt;
  return found->amount;
}

}  // namespace tokenusage
