// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_sum.h"

#include <algorithm>

namespace tokenusage {

MeasureSum& UsageSum::SumOf(v1::UsageMeasure measure) {
  const std::size_t index = IndexOf(measure);
  if (!measures_.Has(measure)) {
    if (sums_.empty()) sums_.reserve(8);
    sums_.insert(sums_.begin() + static_cast<std::ptrdiff_t>(index),
                 MeasureSum());
    measures_.Add(measure);
  }
  return sums_[index];
}

void UsageSum::AddMeasure(v1::UsageMeasure measure, const MeasureSum& part) {
  MeasureSum& sum = SumOf(measure);
  sum.record_count += part.record_count;
  sum.amount += part.amount;
  if (sum.record_count != 0 || sum.amount != Amount()) return;
  sums_.erase(sums_.begin() + (&sum - sums_.data()));
  measures_.Remove(measure);
}

void UsageSum::Add(const UsageCounts& counts) {
  ++record_count;
  if (counts.inconsistent()) ++inconsistent_record_count;
  if (counts.unknown()) ++unknown_usage_record_count;
  if (!measures_.Contains(counts.measures())) {
    counts.ForEach(
        [this](v1::UsageMeasure measure, Amount) { SumOf(measure); });
  }
  auto sum = sums_.begin();
  measures_.ForEach([&](v1::UsageMeasure measure) {
    if (counts.Has(measure)) {
      ++sum->record_count;
      sum->amount += counts[measure];
    }
    ++sum;
  });
}

void UsageSum::Add(const UsageSum& other) {
  record_count += other.record_count;
  inconsistent_record_count += other.inconsistent_record_count;
  unknown_usage_record_count += other.unknown_usage_record_count;
  other.ForEach([this](v1::UsageMeasure measure, const MeasureSum& sum) {
    AddMeasure(measure, sum);
  });
}

void UsageSum::Subtract(const UsageCounts& counts) {
  --record_count;
  if (counts.inconsistent()) --inconsistent_record_count;
  if (counts.unknown()) --unknown_usage_record_count;
  counts.ForEach([this](v1::UsageMeasure measure, Amount amount) {
    AddMeasure(measure, {-1, -amount});
  });
}

bool UsageSum::IsOfRecords() const {
  const auto in_range = [this](std::int64_t count) {
    return count >= 0 && count <= record_count;
  };
  return in_range(inconsistent_record_count) &&
         in_range(unknown_usage_record_count) &&
         std::all_of(sums_.begin(), sums_.end(), [&](const MeasureSum& sum) {
           return sum.record_count > 0 && in_range(sum.record_count) &&
                  !(sum.amount < Amount());
         });
}

}  // namespace tokenusage
