// SPDX-License-Identifier: Apache-2.0

// Exact sums of what records count.
//
//   UsageSum sum;
//   sum.Add(CountRecord(record));
//   if (const MeasureSum* input = sum.Find(v1::USAGE_MEASURE_INPUT_TOKENS)) {
//     Print(input->amount.ToDecimal(), input->record_count);
//   }

#ifndef TOKENUSAGE_RECORD_USAGE_SUM_H_
#define TOKENUSAGE_RECORD_USAGE_SUM_H_

#include <cstdint>
#include <vector>

#include "tokenusage/usage/amount.h"
#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage {

// The sum of one measure.
struct MeasureSum {
  std::int64_t record_count = 0;  // of the records that state the measure
  Amount amount;

  friend bool operator==(const MeasureSum& a, const MeasureSum& b) {
    return a.record_count == b.record_count && a.amount == b.amount;
  }
};

// The sums of a set of records. Holds only the measures that occur. A value
// type.
//
// May also be the change of a sum: more records may have been subtracted than
// added, in total or of one measure.
class UsageSum {
 public:
  std::int64_t record_count = 0;
  std::int64_t inconsistent_record_count = 0;
  std::int64_t unknown_usage_record_count = 0;

  // Adds one record.
  void Add(const UsageCounts& counts);

  // Adds a disjoint set of records.
  void Add(const UsageSum& other);

  // Subtracts one record.
  void Subtract(const UsageCounts& counts);

  // Returns whether this can be the sum of a set of records: no number is
  // negative, and a measure that occurs is stated by some of the records.
  bool IsOfRecords() const;

  // Adds to the sum of one measure. If no records and no amount are left, the
  // measure no longer occurs. Does not change the numbers of records above.
  void AddMeasure(v1::UsageMeasure measure, const MeasureSum& part);

  // Returns the measures that occur.
  MeasureSet measures() const { return measures_; }

  // Returns the sum of a measure, or null if no record states it.
  const MeasureSum* Find(v1::UsageMeasure measure) const {
    return measures_.Has(measure) ? &sums_[IndexOf(measure)] : nullptr;
  }

  // Calls `visit(measure, sum)` for each measure that occurs, by rising number.
  template <typename Visitor>
  void ForEach(const Visitor& visit) const {
    auto sum = sums_.begin();
    measures_.ForEach(
        [&](v1::UsageMeasure measure) { visit(measure, *sum++); });
  }

  friend bool operator==(const UsageSum& a, const UsageSum& b) {
    return a.record_count == b.record_count &&
           a.inconsistent_record_count == b.inconsistent_record_count &&
           a.unknown_usage_record_count == b.unknown_usage_record_count &&
           a.measures_ == b.measures_ && a.sums_ == b.sums_;
  }

 private:
  std::size_t IndexOf(v1::UsageMeasure measure) const {
    return static_cast<std::size_t>(measures_.CountBelow(measure));
  }

  // Returns the sum of a measure, and inserts it if there is none.
  MeasureSum& SumOf(v1::UsageMeasure measure);

  MeasureSet measures_;
  std::vector<MeasureSum> sums_;  // in the order of measures_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_USAGE_SUM_H_
