// SPDX-License-Identifier: Apache-2.0

// What operators do with a UsageStore, and what they learn.
//
//   absl::StatusOr<CheckReport> report = store->Check(CheckOptions());
//   for (const CheckProblem& problem : report->problems) {
//     std::cout << DescribeProblem(problem) << "\n";
//   }

#ifndef TOKENUSAGE_STORE_STORE_MAINTENANCE_H_
#define TOKENUSAGE_STORE_STORE_MAINTENANCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// What UsageStore::RemoveRecordsBefore and UsageStore::DeleteProject removed.
struct Removal {
  std::int64_t record_count = 0;
};

// What UsageStore::RebuildRollups did.
struct Rebuild {
  std::int64_t record_count = 0;  // that were summed
  std::int64_t cell_count = 0;    // sums that were written
};

// How UsageStore::Check looks.
struct CheckOptions {
  // How many problems the report lists; all are counted.
  int max_problems = 100;

  CallLimits limits;
};

// Something that UsageStore::Check found wrong.
struct CheckProblem {
  enum class Kind {
    kStorage,  // the file or tables are damaged: `detail` says how
    kRecord,   // a record cannot be read, or its key or index is another's
    kTotal,    // a kept sum is not that of the records
  };

  Kind kind = Kind::kStorage;
  std::string detail;  // for people; not for kTotal

  // Where it is known: the project, and for kTotal the series and the cell.
  std::string project;
  std::string operation;
  std::string provider;
  std::string model;
  TimeWindow cell;       // a quarter or an hour
  std::string measure;   // as a field of tokenusage.v1.UsageTotals
  std::string expected;  // decimal, or "none" where no record carries it
  std::string found;
};

// A problem in one line of English.
std::string DescribeProblem(const CheckProblem& problem);

struct CheckReport {
  std::int64_t record_count = 0;       // that were looked at
  std::int64_t cell_count = 0;         // kept sums that were compared
  std::int64_t problem_count = 0;      // 0: all is well
  std::vector<CheckProblem> problems;  // the first of them

  // Records that an interrupted removal left behind. Nothing sees them, and the
  // next removal takes them: not a problem.
  std::int64_t left_over_count = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_STORE_MAINTENANCE_H_
