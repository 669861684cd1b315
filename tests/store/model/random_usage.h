// SPDX-License-Identifier: Apache-2.0

// Random records and questions that lean to the edges.

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
  // Prints the seed.
  explicit RandomUsage(unsigned seed);

  // From 0 on, and less than `limit`.
  std::int64_t Below(std::int64_t limit);

  // From few times of six days, so that some are equal, and often at the edge
  // of a cell.
  std::int64_t Time();

  // The first instant of the six days; MoveOn moves them.
  std::int64_t start_nanos() const { return start_nanos_; }
  void MoveOn(std::int64_t nanos) { start_nanos_ += nanos; }

  // From few: often the id of a record that is there.
  std::string Id();
  std::string Name();
  double Count();
  v1::UsageRecord Record();

  // Some of them twice, changed or not.
  std::vector<v1::UsageRecord> Batch();

  TimeWindow Window();
  UsageField Field();

  // Of project "p".
  UsageQuery Query();

 private:
  std::mt19937_64 random_;
  std::int64_t start_nanos_;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_MODEL_RANDOM_USAGE_H_
