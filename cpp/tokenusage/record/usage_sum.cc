// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_sum.h"

namespace tokenusage {

void UsageSum::AddMeasure(v1::UsageMeasure measure, const MeasureSum& part) {
  const std::size_t index = IndexOf(measure);
  if (!measures_.Has(measure)) {
    if (sums_.empty()) sums_.reserve(8);
    sums_.insert(sums_.begin() + static_cast<std::ptrdiff_t>(index),
                 MeasureSum());
    measures_.Add(measure);
  }
  sums_[index].record_count += part.record_count;
  sums_[index].amount += part.amount;
}

void UsageSum::Add(const UsageCounts& counts) {
  ++record_count;
  if (counts.inconsistent()) ++inconsistent_record_count;
  if (counts.unknown()) ++unknown_usage_record_count;
  if (!measures_.Contains(counts.measures())) {
    counts.ForEach([this](v1::UsageMeasure measure, Amount) {
      AddMeasure(measure, MeasureSum());
    });
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

}  // namespace tokenusage
