// SPDX-License-Identifier: Apache-2.0

// Random records and queries, with many edge cases.

#ifndef TOKENUSAGE_TESTS_STORE_MODEL_RANDOM_USAGE_H_
#define TOKENUSAGE_TESTS_STORE_MODEL_RANDOM_USAGE_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage::testing {

class RandomUsage {
 public:
  // Uses TestSeed.
  RandomUsage();

  // Returns a number from 0 to `limit` - 1.
  std::int64_t Below(std::int64_t limit);

  // Returns one of a few times within six days, so that some are equal, and
  // often the start of a quarter hour or hour.
  std::int64_t Time();

  // The first instant of the six days; MoveOn moves them.
  std::int64_t start_nanos() const { return start_nanos_; }
  void MoveOn(std::int64_t nanos) { start_nanos_ += nanos; }

  // Returns one of a few ids, so that it is often taken.
  std::string Id();
  std::string Name();
  double Count();
  // Sets a usage of one of several kinds, often one that contradicts itself.
  void SetUsage(v1::UsageRecord* record);
  // Makes the record correct the one with this id, unless it is itself; half
  // the time as a void.
  void Correct(const std::string& id, v1::UsageRecord* record);
  // Returns a record that sometimes corrects another.
  v1::UsageRecord Record();

  // Returns a batch with some records twice, changed or not, and some that
  // correct an earlier one.
  std::vector<v1::UsageRecord> Batch();

  TimeWindow Window();
  UsageField Field();
  std::vector<UsageFieldFilter> Filters();

  // Returns a query of project "p".
  UsageQuery Query();

 private:
  std::mt19937_64 random_;
  std::int64_t start_nanos_;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_MODEL_RANDOM_USAGE_H_
