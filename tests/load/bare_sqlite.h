// What SQLite alone does with the same tables, in one thread, without a service
// around it: the yardstick.

#ifndef TOKENUSAGE_TESTS_LOAD_BARE_SQLITE_H_
#define TOKENUSAGE_TESTS_LOAD_BARE_SQLITE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::load {

// Stores the batches in a new database, one commit each, and keeps its sums.
// The file must not exist; its tables are those of a SQLite store. Returns the
// rows per second. Aborts where SQLite fails.
double RunBareInserts(const std::string& path,
                      const std::vector<v1::ReportUsageRequest>& batches);

// Adds up the hourly cells of [start, end), in seconds, by day, as often as
// fits into `seconds`, `pause` seconds apart. Returns the time of each scan, in
// seconds. Aborts where SQLite fails.
std::vector<double> RunBareScans(const std::string& path, std::int64_t start,
                                 std::int64_t end, double seconds,
                                 double pause);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_LOAD_BARE_SQLITE_H_
