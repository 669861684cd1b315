// SPDX-License-Identifier: Apache-2.0

// The operations of a store that operators need: retention, checks, rebuilds,
// deletion.
//
//   absl::StatusOr<CheckReport> report =
//       store->maintenance()->Check(CheckOptions());
//   for (const CheckProblem& problem : report->problems) {
//     std::cout << DescribeProblem(problem) << "\n";
//   }

#ifndef TOKENUSAGE_STORE_STORE_MAINTENANCE_H_
#define TOKENUSAGE_STORE_STORE_MAINTENANCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/rollup_options.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The records that are kept of a project.
struct ProjectRetention {
  std::string project;

  // Records before it were removed, and their totals kept. A whole hour of UTC
  // that never moves back; absl::InfinitePast() if nothing was ever removed.
  absl::Time horizon;

  // How long records are kept; absl::ZeroDuration() for the service's default.
  absl::Duration retain;

  // The event_time of the first and last record; absl::InfinitePast() if there
  // are none. `oldest` is before `horizon` if a removal was interrupted.
  absl::Time oldest;
  absl::Time newest;
};

// The result of RemoveRecordsBefore, DeleteRecords and DeleteProject.
struct Removal {
  std::int64_t record_count = 0;
};

// Selects the records of a project that meet all of these conditions.
struct RecordSelection {
  std::string project;
  TimeWindow window;
  std::set<std::string> record_ids;       // empty: any id
  std::vector<UsageFieldFilter> filters;  // at most one on each field
};

// The selection of a Deletion by DeleteProject.
inline constexpr char kWholeProject[] = "the whole project";

// The record of a deletion, which stays.
struct Deletion {
  absl::Time time;  // of its first step, in whole seconds
  std::string project;
  std::string selection;  // see DescribeSelection in query/, or kWholeProject
  std::int64_t record_count = 0;

  friend bool operator==(const Deletion& a, const Deletion& b) {
    return std::tie(a.time, a.project, a.selection, a.record_count) ==
           std::tie(b.time, b.project, b.selection, b.record_count);
  }
};

// The result of RebuildRollups.
struct Rebuild {
  std::int64_t record_count = 0;
  std::int64_t rollup_count = 0;
};

// Called now and then during long work with the amount done and, if known,
// roughly its fraction of the total.
using ProgressCallback =
    std::function<void(std::int64_t done, std::optional<double> fraction)>;

struct CheckOptions {
  // The most problems that the report lists; all are counted.
  int max_problems = 100;

  // The number of rollups to hold in memory before comparing them, on SQLite.
  std::size_t max_rollups = 100'000;

  ProgressCallback on_progress;  // counts records; may be empty

  CallLimits limits;
};

struct CheckProblem {
  enum class Kind {
    kStorage,  // the file or tables are damaged
    kRecord,   // a record cannot be read, or what is stored with it is wrong
    kRollup,   // a rollup is not the sum of its records
  };

  Kind kind = Kind::kStorage;
  std::string detail;   // for people; empty for kRollup
  std::string project;  // empty if unknown

  // For kRollup only: the series and the cell.
  std::string operation;
  std::string provider;
  std::string model;
  std::string
      labels;  // of a rollup by label: the values, such as `"acme", none`
  TimeWindow cell;
  std::string field;     // of UsageTotals, such as "images.record_count"
  std::string expected;  // a decimal, or "none" if no record states it
  std::string found;
};

// Returns a problem as one line of English.
std::string DescribeProblem(const CheckProblem& problem);

struct CheckReport {
  std::int64_t record_count = 0;       // read
  std::int64_t rollup_count = 0;       // compared with records
  std::int64_t problem_count = 0;      // 0: all is well
  std::vector<CheckProblem> problems;  // the first of them

  // Records that an interrupted removal left behind. No read sees them, and the
  // next removal deletes them: not a problem.
  std::int64_t left_over_count = 0;
};

// Thread safety: all methods may be called from any thread at any time.
//
// Every method may return the errors of UsageStore, and DEADLINE_EXCEEDED or
// CANCELLED by its limits.
class StoreMaintenance {
 public:
  virtual ~StoreMaintenance() = default;

  // Returns the retention of each project, by name.
  virtual absl::StatusOr<std::vector<ProjectRetention>> Retention() = 0;

  // Sets how long the records of a project are kept; absl::ZeroDuration() for
  // the service's default.
  //
  // Errors: as above; NOT_FOUND.
  virtual absl::Status SetRetention(std::string_view project,
                                    absl::Duration retain) = 0;

  // Moves a project's horizon forward to `horizon`, unless it is later already,
  // and removes the records before it in small steps between which appends
  // continue. Totals stay, and so do the project's series. Does nothing if
  // there is no such project.
  //
  // The horizon is durable before the first record is removed, and from then on
  // no read sees a record before it. If the removal is interrupted, the next
  // call continues it. The id of a removed record is free again.
  //
  // Errors: as above; INVALID_ARGUMENT unless `horizon` is a whole hour from
  // 2000-01-01 to 2200-01-01.
  virtual absl::StatusOr<Removal> RemoveRecordsBefore(
      std::string_view project, absl::Time horizon,
      const CallLimits& limits) = 0;

  // Checks one snapshot of the store, on PostgreSQL one of each project:
  // whether the files are intact, except on PostgreSQL, and whether every
  // rollup at or after its project's horizon is the sum of its records. Changes
  // nothing. Problems are in the report; an error means that the check did not
  // finish.
  virtual absl::StatusOr<CheckReport> Check(const CheckOptions& options) = 0;

  // Rebuilds all rollups at or after the horizons from the records, in one
  // transaction, on PostgreSQL in one for each project. Appends wait until it
  // ends.
  //
  // Errors: as above; DATA_LOSS if a record cannot be read.
  virtual absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits) = 0;

  // Deletes the selected records at or after the project's horizon, in small
  // steps between which appends continue; with `dry_run`, only counts them.
  // Each step removes records and their share of the totals, and adds to the
  // Deletion, in one transaction. If the call is interrupted, call it again.
  // Records that arrive meanwhile may or may not be deleted.
  //
  // A record is selected by its own fields, whatever corrects it or is
  // corrected by it: totals shrink by what the deleted records counted, and no
  // other record begins or ceases to count. The id of a deleted record is free
  // again.
  //
  // Errors: as above; NOT_FOUND.
  virtual absl::StatusOr<Removal> DeleteRecords(
      const RecordSelection& selection, bool dry_run,
      const CallLimits& limits) = 0;

  // Returns what DeleteRecords, if it found records, and DeleteProject have
  // deleted, in order of time.
  virtual absl::StatusOr<std::vector<Deletion>> Deletions() = 0;

  // Changes the labels that rollups are kept by (RollupOptions), and builds the
  // rollups by label from the records, in one transaction, on PostgreSQL in one
  // for each project. These rollups begin at the project's horizon: removed
  // records cannot be counted by label. On PostgreSQL, other processes notice
  // the change.
  //
  // Errors: as above; FAILED_PRECONDITION, naming the project, if there are
  // rollups by label from before its horizon, which would be lost.
  virtual absl::StatusOr<Rebuild> SetRollupLabels(const RollupLabels& labels,
                                                  const CallLimits& limits) = 0;

  // Removes a project with its records, totals, series and name. On SQLite,
  // readers stop seeing it at once, and its data is then removed in small
  // steps; if these are interrupted, call it again: it stays one Deletion. On
  // PostgreSQL, one transaction removes all, and appends to the project wait.
  // The project may be reported to again at any time, and starts empty.
  //
  // Errors: as above; NOT_FOUND.
  virtual absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                                const CallLimits& limits) = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_STORE_MAINTENANCE_H_
