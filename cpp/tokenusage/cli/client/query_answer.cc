// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/query_answer.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {

absl::StatusOr<UsageSum> SumOf(const v1::UsageTotals& totals) {
  UsageSum sum;
  sum.record_count = totals.record_count();
  sum.inconsistent_record_count = totals.inconsistent_record_count();
  sum.unknown_usage_record_count = totals.unknown_usage_record_count();
  const auto& fields = *v1::UsageTotals::descriptor();
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    const auto* const field = fields.FindFieldByNumber(number);
    if (!totals.GetReflection()->HasField(totals, field)) continue;
    const auto& total = static_cast<const v1::MeasureTotal&>(
        totals.GetReflection()->GetMessage(totals, field));
    const std::optional<Amount> amount = AmountFromDecimal(total.exact());
    if (!amount) {
      return absl::UnknownError(absl::StrCat(
          "the service's answer: ", std::string(field->name()),
          ": expected a decimal, found \"", Excerpt(total.exact()), "\""));
    }
    sum.AddMeasure(static_cast<v1::UsageMeasure>(number),
                   {total.record_count(), *amount});
  }
  return sum;
}

std::string_view MeasureName(v1::UsageMeasure measure) {
  return v1::TokenUsage::descriptor()->FindFieldByNumber(measure)->name();
}

std::optional<Amount> TotalBy(const std::string& by, const UsageSum& sum) {
  if (by == "record_count") return Amount::FromInteger(sum.record_count);
  const auto* const field = v1::TokenUsage::descriptor()->FindFieldByName(by);
  if (field == nullptr) return std::nullopt;
  const MeasureSum* const found =
      sum.Find(static_cast<v1::UsageMeasure>(field->number()));
  if (found == nullptr) return std::nullopt;
  return found->amount;
}

}  // namespace tokenusage
