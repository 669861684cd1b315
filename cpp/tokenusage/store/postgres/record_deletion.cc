// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/record_deletion.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/record_selection.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

constexpr absl::Duration kTimeout = PostgresTimeouts::kMaintenanceStep;

// The most records that one step deletes, and the most that it examines.
constexpr std::size_t kMaxFound = 500;
constexpr std::int64_t kMaxScanned = 20'000;

// The longest pause between two steps.
constexpr absl::Duration kMaxPause = absl::Milliseconds(100);

// One deletion's work.
class DeletionRun {
 public:
  DeletionRun(PostgresPool* pool, const RecordSelection& selection,
              const CallLimits& limits)
      : pool_(*pool),
        selection_(selection),
        limits_(limits),
        ids_(selection.record_ids.begin(), selection.record_ids.end()),
        after_nanos_(selection.window.start_nanos) {}

  absl::StatusOr<Removal> Run(bool dry_run);

 private:
  // Finds the next records to delete, by id or in order of time. NOT_FOUND if
  // there was no project to begin with.
  absl::Status Find(PostgresConnection* connection);
  absl::Status FindByIds(PostgresConnection* connection);
  absl::Status FindByTime(PostgresConnection* connection,
                          std::int64_t from_nanos);

  absl::Status EndWithoutProject();

  // Deletes the records that were found and are still selected, and notes their
  // number.
  absl::Status Delete(PostgresConnection* connection);

  PostgresPool& pool_;
  const RecordSelection& selection_;
  const CallLimits& limits_;
  const std::vector<std::string> ids_;  // of the selection
  const absl::Time start_ = absl::Now();
  const std::int64_t deletion_id_ = RandomIncarnation();
  std::size_t next_id_ = 0;         // of ids_
  std::int64_t after_nanos_;        // the position of the last record that was
  std::string after_id_;            // looked at
  std::vector<std::string> found_;  // ids
  bool began_ = false;
  bool at_end_ = false;
  Removal removal_;
};

absl::StatusOr<Removal> DeletionRun::Run(bool dry_run) {
  while (!at_end_) {
    TOKENUSAGE_RETURN_IF_ERROR(pool_.Run(
        limits_,
        [this](PostgresConnection* connection) { return Find(connection); }));
    if (dry_run) {
      removal_.record_count += static_cast<std::int64_t>(found_.size());
      continue;
    }
    if (found_.empty()) continue;
    const absl::Time start = absl::Now();
    TOKENUSAGE_RETURN_IF_ERROR(pool_.Run(
        limits_,
        [this](PostgresConnection* connection) { return Delete(connection); }));
    // Leave half of the time to appends, unless a step takes longer than
    // kMaxPause.
    absl::SleepFor(std::min(absl::Now() - start, kMaxPause));
  }
  return removal_;
}

absl::Status DeletionRun::Find(PostgresConnection* connection) {
  found_.clear();
  if (!ids_.empty()) return FindByIds(connection);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult project,
      connection->Run(kTimeout, sql::kSelectHorizon, selection_.project));
  if (project.rows() == 0) return EndWithoutProject();
  began_ = true;
  return FindByTime(connection, project.Int64(0, 0) * kNanosPerSecond);
}

absl::Status DeletionRun::EndWithoutProject() {
  at_end_ = true;
  // The project may be deleted after the first step.
  return began_ ? absl::OkStatus() : absl::NotFoundError("no such project");
}

absl::Status DeletionRun::FindByIds(PostgresConnection* connection) {
  const std::size_t end = std::min(next_id_ + kMaxFound, ids_.size());
  const std::vector<std::string> step(
      ids_.begin() + static_cast<std::ptrdiff_t>(next_id_),
      ids_.begin() + static_cast<std::ptrdiff_t>(end));
  connection->Send(sql::kSelectRecords, selection_.project, step);
  connection->Send(sql::kSelectHorizon, selection_.project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection->Sync(kTimeout));
  if (results[1].rows() == 0) return EndWithoutProject();
  began_ = true;
  v1::UsageRecord record;
  for (int row = 0; row < results[0].rows(); ++row) {
    TOKENUSAGE_RETURN_IF_ERROR(ReadStoredRecord(
        connection->display(), results[0].Bytes(row, 1), &record));
    const bool kept = record.event_time().seconds() >= results[1].Int64(0, 0);
    if (kept && IsSelected(selection_, record)) {
      found_.push_back(record.record_id());
    }
  }
  next_id_ = end;
  at_end_ = next_id_ == ids_.size();
  return absl::OkStatus();
}

absl::Status DeletionRun::FindByTime(PostgresConnection* connection,
                                     std::int64_t from_nanos) {
  if (from_nanos > after_nanos_) {
    after_nanos_ = from_nanos;
    after_id_.clear();
  }
  const PostgresParams params(selection_.project, selection_.window.end_nanos,
                              after_nanos_, after_id_, kMaxScanned);
  std::int64_t scanned = 0;
  v1::UsageRecord record;
  TOKENUSAGE_RETURN_IF_ERROR(connection->Stream(
      sql::kListRecords, params, limits_,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        TOKENUSAGE_RETURN_IF_ERROR(
            ReadStoredRecord(connection->display(), row.Bytes(0, 0), &record));
        ++scanned;
        if (IsSelected(selection_, record)) {
          found_.push_back(record.record_id());
        }
        return found_.size() < kMaxFound;
      }));
  // Only now: a retry must not skip records that it has not seen.
  if (scanned > 0) {
    after_nanos_ = NanosFromTimestamp(record.event_time());
    after_id_ = record.record_id();
  }
  at_end_ = scanned < kMaxScanned && found_.size() < kMaxFound;
  return absl::OkStatus();
}

absl::Status DeletionRun::Delete(PostgresConnection* connection) {
  connection->Send(sql::kBegin);
  connection->Send(sql::kLockProject, selection_.project);
  connection->Send(sql::kSelectRecords, selection_.project, found_);
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection->Sync(kTimeout));
  const PostgresResult& project = results[1];
  const PostgresResult& rows = results[2];
  if (project.rows() == 0) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(RollupLabels labels,
                              ParseRollupLabels(project.Bytes(0, 2)));
  PostgresRollups rollups(std::move(labels));
  std::vector<std::string> ids;
  v1::UsageRecord record;
  for (int row = 0; row < rows.rows(); ++row) {
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(connection->display(), rows.Bytes(row, 1), &record));
    if (!IsSelected(selection_, record)) continue;
    // The horizon may have moved meanwhile.
    if (record.event_time().seconds() < project.Int64(0, 1)) continue;
    ids.push_back(record.record_id());
    if (!rows.Bytes(row, 2).empty() || !Counts(record)) continue;
    rollups.Subtract(record, NanosFromTimestamp(record.event_time()),
                     CountRecord(record));
  }
  if (ids.empty()) return absl::OkStatus();
  connection->Send(sql::kDeleteCorrections, selection_.project, ids);
  connection->Send(sql::kDeleteRecords, selection_.project, ids);
  const auto count = static_cast<std::int64_t>(ids.size());
  connection->Send(
      sql::kAddDeletion,
      DeletionParams(deletion_id_, {start_, selection_.project,
                                    DescribeSelection(selection_), count}));
  TOKENUSAGE_RETURN_IF_ERROR(
      ChangePostgresRollups(connection, selection_.project, rollups));
  TOKENUSAGE_RETURN_IF_ERROR(connection->Run(kTimeout, sql::kCommit).status());
  removal_.record_count += count;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Removal> DeletePostgresRecords(PostgresPool* pool,
                                              const RecordSelection& selection,
                                              bool dry_run,
                                              const CallLimits& limits) {
  return DeletionRun(pool, selection, limits).Run(dry_run);
}

PostgresParams DeletionParams(std::int64_t deletion_id,
                              const Deletion& deletion) {
  return PostgresParams(deletion.project, deletion_id,
                        absl::ToUnixSeconds(deletion.time), deletion.selection,
                        deletion.record_count);
}

absl::StatusOr<std::vector<Deletion>> ReadPostgresDeletions(
    PostgresPool* pool) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult rows,
      pool->RunFor<PostgresResult>({}, [](PostgresConnection* connection) {
        return connection->Run(kTimeout, sql::kSelectDeletions);
      }));
  std::vector<Deletion> all;
  for (int row = 0; row < rows.rows(); ++row) {
    all.push_back({absl::FromUnixSeconds(rows.Int64(row, 0)),
                   std::string(rows.Bytes(row, 1)),
                   std::string(rows.Bytes(row, 2)), rows.Int64(row, 3)});
  }
  std::stable_sort(
      all.begin(), all.end(),
      [](const Deletion& a, const Deletion& b) { return a.time < b.time; });
  return all;
}

}  // namespace tokenusage
