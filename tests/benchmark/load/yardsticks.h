// SPDX-License-Identifier: Apache-2.0

// Measures SQLite and a log file alone, in one thread, with the same records.
// All functions abort if SQLite or the file system fails.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_YARDSTICKS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_YARDSTICKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::load {

// Stores each batch with one commit in a new SQLite store's tables and adds it
// to the rollups, with as few statements as possible. Returns the records per
// second.
double RunBareInserts(const std::string& path,
                      const std::vector<v1::ReportUsageRequest>& batches);

// Writes each batch to a preallocated file and syncs it. Returns the records
// per second.
double RunBareLog(const std::string& path,
                  const std::vector<v1::ReportUsageRequest>& batches);

// Adds up the hourly rollups of a SQLite store in [start, end), in seconds, by
// day. Repeats this for `seconds`, with `pause` seconds between scans. Returns
// the time of each scan in seconds.
std::vector<double> RunBareScans(const std::string& path, std::int64_t start,
                                 std::int64_t end, double seconds,
                                 double pause);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_YARDSTICKS_H_
