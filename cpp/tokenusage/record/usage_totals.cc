// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_totals.h"

#include "google/protobuf/message.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {
namespace {

// A measure's total is the field of UsageTotals with its number.
const ::google::protobuf::FieldDescriptor* FieldOf(v1::UsageMeasure measure) {
  return v1::UsageTotals::descriptor()->FindFieldByNumber(measure);
}

}  // namespace

v1::UsageTotals ToUsageTotals(const UsageSum& sum) {
  v1::UsageTotals totals;
  totals.set_record_count(sum.record_count);
  totals.set_inconsistent_record_count(sum.inconsistent_record_count);
  totals.set_unknown_usage_record_count(sum.unknown_usage_record_count);
  sum.ForEach([&totals](v1::UsageMeasure measure, const MeasureSum& part) {
    auto* const total = static_cast<v1::MeasureTotal*>(
        totals.GetReflection()->MutableMessage(&totals, FieldOf(measure)));
    total->set_rounded(part.amount.ToDouble());
    total->set_exact(part.amount.ToDecimal());
    total->set_record_count(part.record_count);
  });
  return totals;
}

std::optional<UsageSum> FromUsageTotals(const v1::UsageTotals& totals) {
  UsageSum sum;
  sum.record_count = totals.record_count();
  sum.inconsistent_record_count = totals.inconsistent_record_count();
  sum.unknown_usage_record_count = totals.unknown_usage_record_count();
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    const auto measure = static_cast<v1::UsageMeasure>(number);
    const v1::MeasureTotal* const total = FindTotal(totals, measure);
    if (total == nullptr) continue;
    const std::optional<Amount> amount = AmountFromDecimal(total->exact());
    if (!amount) return std::nullopt;
    sum.AddMeasure(measure, {total->record_count(), *amount});
  }
  return sum;
}

const v1::MeasureTotal* FindTotal(const v1::UsageTotals& totals,
                                  v1::UsageMeasure measure) {
  const auto* const field = FieldOf(measure);
  const auto& reflection = *totals.GetReflection();
  if (!reflection.HasField(totals, field)) return nullptr;
  return static_cast<const v1::MeasureTotal*>(
      &reflection.GetMessage(totals, field));
}

std::string NameOf(v1::UsageMeasure measure) {
  return std::string(FieldOf(measure)->name());
}

}  // namespace tokenusage
