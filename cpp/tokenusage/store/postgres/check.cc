// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/postgres/record_steps.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/rollup/correction_check.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

using Family = sql::Family;

constexpr absl::Duration kTimeout = PostgresTimeouts::kMaintenanceStep;

// One project's check.
class CheckRun {
 public:
  CheckRun(PostgresConnection* connection, const std::string& project,
           const CallLimits& limits, CheckReportBuilder* report)
      : connection_(*connection),
        project_(project),
        limits_(limits),
        report_(*report) {}

  absl::Status Run();

 private:
  // Returns whether selected records of the project were deleted.
  absl::StatusOr<bool> HasDeletions();
  // Compares the records of a window with their rollups.
  absl::Status CheckWindow(TimeWindow window);
  // Finds corrections of records that do not exist.
  absl::Status CheckCorrections();
  // Compares months by label with their quarter hours.
  absl::Status CheckMonths();
  // Compares hours or months with their quarter hours. Returns their number.
  absl::StatusOr<std::size_t> CompareCoarser(Family family,
                                             std::int64_t cell_seconds,
                                             CellRange range);
  // Checks a record, and adds it to the expected rollups.
  void CheckRecord(const PostgresResult& row, PostgresRollups* expected);
  // Compares hours with quarter hours before the horizon, as there are no
  // records to compare with.
  absl::Status CheckHoursBefore(std::int64_t horizon_seconds);
  absl::Status ReadRollups(Family family, std::int64_t cell_seconds,
                           CellRange range, Rollups* rollups);

  PostgresConnection& connection_;
  const std::string& project_;
  const CallLimits& limits_;
  CheckReportBuilder& report_;
  RollupLabels labels_;
  std::set<SeriesNames> series_;
  std::set<std::string> label_sets_;
  CorrectionCheck corrections_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::Status CheckRun::Run() {
  connection_.Send(sql::kBeginSnapshot);
  connection_.Send(sql::kSelectHorizon, project_);
  connection_.Send(sql::kSelectSeries, project_);
  connection_.Send(sql::kSelectLabelSets, project_);
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection_.Sync(kTimeout));
  const std::int64_t horizon =
      results[1].rows() == 0 ? 0 : results[1].Int64(0, 0);
  if (results[1].rows() > 0) {
    TOKENUSAGE_ASSIGN_OR_RETURN(labels_,
                                ParseRollupLabels(results[1].Bytes(0, 2)));
  }
  for (int row = 0; row < results[2].rows(); ++row) {
    series_.insert(SeriesOf(results[2], row, 0));
  }
  for (int row = 0; row < results[3].rows(); ++row) {
    label_sets_.emplace(results[3].Bytes(row, 0));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult left_over,
      connection_.Run(kTimeout, sql::kCountRecordsBefore, project_,
                      horizon * kNanosPerSecond));
  report_.AddLeftOver(left_over.Int64(0, 0));
  TOKENUSAGE_RETURN_IF_ERROR(CheckHoursBefore(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(ForEachRecordStep(
      &connection_, project_, {horizon * kNanosPerSecond, kEndOfTime}, limits_,
      [this](TimeWindow window) { return CheckWindow(window); }));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool has_deletions, HasDeletions());
  if (horizon == 0 && !has_deletions)
    corrections_.AddProblems(project_, &report_);
  TOKENUSAGE_RETURN_IF_ERROR(CheckCorrections());
  return CheckMonths();
}

absl::Status CheckRun::CheckCorrections() {
  return connection_.Stream(
      sql::kCheckCorrections, PostgresParams(project_), limits_,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        report_.AddRecordProblem(
            project_, absl::StrCat("record ", ToAbsl(row.Bytes(0, 0)),
                                   ": what corrects it is stored, but it is "
                                   "not, or at another time"));
        return true;
      });
}

absl::Status CheckRun::CheckMonths() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult times,
      connection_.Run(kTimeout, sql::kLabelRollupTimes, project_));
  if (times.IsNull(0, 0)) return absl::OkStatus();
  const std::int64_t last = times.Int64(0, 1);
  for (std::int64_t month = MonthOf(times.Int64(0, 0)); month <= last;
       month = MonthAfter(month)) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::size_t months,
                                CompareCoarser(Family::kByLabel, kMonthSeconds,
                                               {month, MonthAfter(month)}));
    report_.AddRollups(months);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CheckRun::HasDeletions() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult count,
      connection_.Run(kTimeout, sql::kCountDeletions, project_, kWholeProject));
  return count.Int64(0, 0) > 0;
}

absl::Status CheckRun::CheckHoursBefore(std::int64_t horizon_seconds) {
  // A year at a time, to bound memory.
  constexpr std::int64_t kStep = kHourSeconds * 24 * 366;
  for (std::int64_t from = 0; from < horizon_seconds; from += kStep) {
    TOKENUSAGE_RETURN_IF_ERROR(
        CompareCoarser(Family::kPlain, kHourSeconds,
                       {from, std::min(horizon_seconds, from + kStep)})
            .status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> CheckRun::CompareCoarser(Family family,
                                                     std::int64_t cell_seconds,
                                                     CellRange range) {
  Rollups quarter_hours;
  Rollups coarser;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRollups(family, kQuarterHourSeconds, range, &quarter_hours));
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRollups(family, cell_seconds, range, &coarser));
  report_.CompareRollups(project_, CoarserRollupsOf(quarter_hours), coarser);
  return coarser.size();
}

absl::Status CheckRun::CheckWindow(TimeWindow window) {
  PostgresRollups expected(labels_);
  TOKENUSAGE_RETURN_IF_ERROR(connection_.Stream(
      sql::kCheckRecords,
      PostgresParams(project_, window.start_nanos, window.end_nanos), limits_,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        CheckRecord(row, &expected);
        return true;
      }));
  const CellRange range = {window.start_nanos / kNanosPerSecond,
                           window.end_nanos / kNanosPerSecond};
  Rollups found;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRollups(Family::kPlain, kQuarterHourSeconds, range, &found));
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRollups(Family::kPlain, kHourSeconds, range, &found));
  report_.AddRollups(found.size());
  report_.CompareRollups(project_, expected.All(Family::kPlain), found);
  found.clear();
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRollups(Family::kByLabel, kQuarterHourSeconds, range, &found));
  report_.AddRollups(found.size());
  report_.CompareRollups(project_, expected.QuarterHours(Family::kByLabel),
                         found);
  return absl::OkStatus();
}

void CheckRun::CheckRecord(const PostgresResult& row,
                           PostgresRollups* expected) {
  report_.AddRecord();
  const std::int64_t time = row.Int64(0, 0);
  const std::string_view id = row.Bytes(0, 1);
  std::string detail = CheckStoredRecord(row.Bytes(0, 2), id, time, &record_);
  if (detail.empty() && series_.count(SeriesNamesOf(record_)) == 0) {
    detail = "its project has no series for its operation, provider and model";
  }
  record_.set_corrected_by(std::string(row.Bytes(0, 4)));
  // If the labels are set later, records that do not count get no label sets.
  if (detail.empty() && !labels_.empty() && Counts(record_) &&
      label_sets_.count(LabelSetOf(labels_, record_)) == 0) {
    detail = "its project has no label set for its labels";
  }
  if (detail.empty()) {
    corrections_.Add(record_);
    const UsageCounts counts = CountRecord(record_);
    if (Counts(record_)) expected->Add(record_, time, counts);
    if (row.Bool(0, 3) == counts.inconsistent()) return;
    detail = counts.inconsistent()
                 ? "it contradicts itself, but is not marked"
                 : "it is marked as contradicting itself, but does not";
  }
  report_.AddRecordProblem(project_,
                           absl::StrCat("record ", ToAbsl(id), ": ", detail));
}

absl::Status CheckRun::ReadRollups(Family family, std::int64_t cell_seconds,
                                   CellRange range, Rollups* rollups) {
  return ForEachPostgresRollup(
      &connection_, project_, family, cell_seconds, range, limits_,
      [&](const RollupKey& key, const UsageSum& sum) -> absl::StatusOr<bool> {
        rollups->emplace(key, sum);
        return true;
      });
}

}  // namespace

absl::Status CheckPostgresProject(PostgresConnection* connection,
                                  const std::string& project,
                                  const CallLimits& limits,
                                  CheckReportBuilder* report) {
  return CheckRun(connection, project, limits, report).Run();
}

}  // namespace tokenusage
