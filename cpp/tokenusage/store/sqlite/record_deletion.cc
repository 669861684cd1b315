// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/record_deletion.h"

#include <algorithm>
#include <cstddef>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/record_selection.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/label_rollups.h"
#include "tokenusage/store/sqlite/table/record_key.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

// The most records that one step deletes, some ten milliseconds of work, and
// the most that it examines.
constexpr std::size_t kMaxFound = 500;
constexpr int kMaxScanned = 20'000;

// One deletion's work.
class DeletionRun {
 public:
  DeletionRun(const RecordSelection& selection, const CallLimits& limits,
              SqliteTransactions* transactions)
      : selection_(selection),
        limits_(limits),
        transactions_(*transactions),
        ids_(selection.record_ids.begin(), selection.record_ids.end()) {}

  absl::StatusOr<Removal> Run(bool dry_run);

 private:
  // Sets project_id_, 0 if there is none, and from_nanos_.
  absl::Status ReadProject(SqliteDatabase* database);

  // Finds the next rows to delete, by id or in order of time.
  absl::Status Find(SqliteDatabase* database);
  absl::Status FindByIds(SqliteDatabase* database);
  absl::Status FindByTime(SqliteDatabase* database);

  // Deletes the records that were found and are still selected, and notes their
  // number.
  absl::Status Delete(SqliteDatabase* database);
  // Returns whether the row was deleted.
  absl::StatusOr<bool> DeleteRow(SqliteDatabase* database, std::int64_t row_id,
                                 SqliteRollups* rollups,
                                 SqliteLabelRollups* label_rollups);
  absl::Status Note(SqliteDatabase* database, std::int64_t record_count);

  const RecordSelection& selection_;
  const CallLimits& limits_;
  SqliteTransactions& transactions_;
  const std::vector<std::string> ids_;  // of the selection
  std::int64_t project_id_ = 0;
  std::int64_t from_nanos_ = 0;      // the selection's start, or the horizon
  std::size_t next_id_ = 0;          // of ids_
  std::int64_t after_nanos_ = 0;     // the position of the last row that was
  RecordKey after_key_;              // looked at
  std::vector<std::int64_t> found_;  // row ids
  bool began_ = false;
  bool at_end_ = false;
  std::int64_t deletion_id_ = 0;  // 0: nothing was deleted yet
  Removal removal_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::StatusOr<Removal> DeletionRun::Run(bool dry_run) {
  while (!at_end_) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits_));
    TOKENUSAGE_RETURN_IF_ERROR(transactions_.Read(
        limits_, [this](SqliteDatabase* database) { return Find(database); }));
    if (dry_run) {
      removal_.record_count += static_cast<std::int64_t>(found_.size());
      continue;
    }
    if (found_.empty()) continue;
    const absl::Time start = absl::Now();
    TOKENUSAGE_RETURN_IF_ERROR(transactions_.Write(
        [this](SqliteDatabase* database) { return Delete(database); }));
    if (!at_end_) transactions_.Pause(absl::Now() - start);
  }
  return removal_;
}

absl::Status DeletionRun::ReadProject(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(project_id_,
                              FindProjectId(database, selection_.project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database, project_id_));
  from_nanos_ = std::max(selection_.window.start_nanos, horizon);
  return absl::OkStatus();
}

absl::Status DeletionRun::Find(SqliteDatabase* database) {
  found_.clear();
  TOKENUSAGE_RETURN_IF_ERROR(ReadProject(database));
  if (project_id_ == 0) {
    at_end_ = true;
    // The project may be deleted after the first step.
    return began_ ? absl::OkStatus() : absl::NotFoundError("no such project");
  }
  began_ = true;
  return ids_.empty() ? FindByTime(database) : FindByIds(database);
}

absl::Status DeletionRun::FindByIds(SqliteDatabase* database) {
  while (next_id_ < ids_.size() && found_.size() < kMaxFound) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        SqliteRows rows,
        database->Select(
            "SELECT row_id, event_time, record FROM usage_record "
            "WHERE project_id=?1 AND record_id=?2",
            {project_id_, ValueOf(ToRecordKey(ids_[next_id_++]))}));
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row || rows.Int64(1) < from_nanos_) continue;
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), rows.Blob(2), &record_));
    if (IsSelected(selection_, record_)) found_.push_back(rows.Int64(0));
  }
  at_end_ = next_id_ == ids_.size();
  return absl::OkStatus();
}

absl::Status DeletionRun::FindByTime(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT row_id, event_time, record_id, record "
          "FROM usage_record INDEXED BY usage_record_by_time "
          "WHERE project_id=?1 AND event_time>=?2 "
          "AND event_time<?3 AND (event_time>?4 OR record_id>?5) "
          "ORDER BY event_time, record_id",
          {project_id_, std::max(from_nanos_, after_nanos_),
           selection_.window.end_nanos, after_nanos_, ValueOf(after_key_)}));
  for (int scanned = 0; scanned < kMaxScanned && found_.size() < kMaxFound;
       ++scanned) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    at_end_ = !row;
    if (at_end_) break;
    after_nanos_ = rows.Int64(1);
    after_key_ = RecordKeyAt(rows, 2);
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), rows.Blob(3), &record_));
    if (IsSelected(selection_, record_)) found_.push_back(rows.Int64(0));
  }
  return absl::OkStatus();
}

absl::Status DeletionRun::Delete(SqliteDatabase* database) {
  // The project may have been deleted or its horizon moved meanwhile.
  TOKENUSAGE_RETURN_IF_ERROR(ReadProject(database));
  SqliteRollups rollups;
  SqliteLabelRollups label_rollups(kMaxFound);
  TOKENUSAGE_RETURN_IF_ERROR(label_rollups.Load(database));
  std::int64_t count = 0;
  for (const std::int64_t row_id : found_) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const bool deleted,
        DeleteRow(database, row_id, &rollups, &label_rollups));
    if (deleted) ++count;
  }
  TOKENUSAGE_RETURN_IF_ERROR(rollups.Flush(database));
  TOKENUSAGE_RETURN_IF_ERROR(label_rollups.Flush(database));
  TOKENUSAGE_RETURN_IF_ERROR(Note(database, count));
  removal_.record_count += count;
  return absl::OkStatus();
}

absl::StatusOr<bool> DeletionRun::DeleteRow(SqliteDatabase* database,
                                            std::int64_t row_id,
                                            SqliteRollups* rollups,
                                            SqliteLabelRollups* label_rollups) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT series_id, event_time, corrected_by, record "
                       "FROM usage_record WHERE row_id=?1 AND project_id=?2",
                       {row_id, project_id_}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row || rows.Int64(1) < from_nanos_) return false;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(database->path(), rows.Blob(3), &record_));
  if (!IsSelected(selection_, record_)) return false;
  if (rows.IsNull(2) && Counts(record_)) {
    const SqliteStoredRecord stored = {row_id, project_id_, rows.Int64(0),
                                       rows.Int64(1)};
    const UsageCounts counts = CountRecord(record_);
    rollups->Subtract(stored.series_id, stored.event_time_nanos, counts);
    TOKENUSAGE_RETURN_IF_ERROR(
        label_rollups->Subtract(database, stored, record_, counts));
  }
  TOKENUSAGE_RETURN_IF_ERROR(
      database->Run("DELETE FROM usage_record WHERE row_id=?1", {row_id}));
  return true;
}

absl::Status DeletionRun::Note(SqliteDatabase* database,
                               std::int64_t record_count) {
  if (record_count == 0) return absl::OkStatus();
  if (deletion_id_ == 0) {
    TOKENUSAGE_ASSIGN_OR_RETURN(deletion_id_,
                                AddDeletion(database, selection_.project,
                                            DescribeSelection(selection_)));
  }
  return CountDeleted(database, deletion_id_, record_count);
}

}  // namespace

absl::StatusOr<Removal> DeleteSelectedRecords(
    const RecordSelection& selection, bool dry_run, const CallLimits& limits,
    SqliteTransactions* transactions) {
  return DeletionRun(selection, limits, transactions).Run(dry_run);
}

absl::StatusOr<std::int64_t> AddDeletion(SqliteDatabase* database,
                                         const std::string& project,
                                         const std::string& selection) {
  TOKENUSAGE_RETURN_IF_ERROR(database->Run(
      "INSERT INTO deletion(project, start_time, selection, record_count) "
      "VALUES(?1, ?2, ?3, 0)",
      {project, absl::ToUnixSeconds(absl::Now()), selection}));
  return database->LastRowId();
}

absl::Status CountDeleted(SqliteDatabase* database, std::int64_t deletion_id,
                          std::int64_t record_count) {
  return database->Run(
      "UPDATE deletion SET record_count=record_count+?2 WHERE deletion_id=?1",
      {deletion_id, record_count});
}

absl::StatusOr<std::vector<Deletion>> ReadDeletions(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT start_time, project, selection, record_count "
                       "FROM deletion ORDER BY start_time, deletion_id"));
  std::vector<Deletion> all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return all;
    all.push_back({absl::FromUnixSeconds(rows.Int64(0)),
                   std::string(rows.Text(1)), std::string(rows.Text(2)),
                   rows.Int64(3)});
  }
}

absl::StatusOr<bool> HasDeletions(SqliteDatabase* database,
                                  const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t found,
      database->QueryInt64("SELECT EXISTS(SELECT * FROM deletion "
                           "WHERE project=?1 AND selection<>?2)",
                           {project, kWholeProject}));
  return found != 0;
}

}  // namespace tokenusage
