// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/label_rollups.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

// The most rollups that are held in memory, up to a kilobyte each.
constexpr std::size_t kMaxCollected = 200'000;

std::string IdKey(std::int64_t project_id, const std::string& label_set) {
  return absl::StrCat(project_id, "/", label_set);
}

absl::StatusOr<std::string> ReadProperty(SqliteDatabase* database,
                                         const char* name) {
  return database->QueryText("SELECT value FROM property WHERE name=?1",
                             {name});
}

absl::Status WriteProperty(SqliteDatabase* database, const char* name,
                           const std::string& value) {
  return database->Run("UPDATE property SET value=?2 WHERE name=?1",
                       {name, value});
}

// Returns the rollup of the record's quarter hour.
SqliteCell CellOf(const SqliteStoredRecord& stored, std::int64_t label_set_id) {
  return {stored.project_id, QuarterHourOf(stored.event_time_nanos),
          label_set_id, stored.series_id};
}

constexpr char kLabels[] = "rollup_labels";
constexpr char kUntil[] = "label_rollups_until";

// Returns the name of a project with rollups by label from before its horizon;
// empty if there is none.
absl::StatusOr<std::string> FindLabelHistory(SqliteDatabase* database) {
  return database->QueryText(
      "SELECT name FROM retention JOIN project USING(project_id) "
      "WHERE EXISTS(SELECT * FROM label_rollup_quarter AS cell WHERE "
      "cell.project_id=retention.project_id AND cell_start<horizon) "
      "ORDER BY name LIMIT 1");
}

}  // namespace

absl::StatusOr<SqliteLabelState> ReadLabelState(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string labels,
                              ReadProperty(database, kLabels));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string until,
                              ReadProperty(database, kUntil));
  SqliteLabelState state;
  const auto parsed = ParseRollupLabels(labels);
  if (!parsed.ok()) {
    return DamagedError(database->path(), "its rollup labels cannot be read");
  }
  state.labels = *parsed;
  state.until = std::atoll(until.c_str());
  return state;
}

absl::Status WriteRollupLabels(SqliteDatabase* database,
                               const RollupLabels& labels) {
  return WriteProperty(database, kLabels, RollupLabelsText(labels));
}

absl::Status SqliteLabelRollups::Load(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(state_, ReadLabelState(database));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      last_row_id_,
      database->QueryInt64("SELECT ifnull(max(row_id), 0) FROM usage_record"));
  ids_.Clear();
  subtracted_.clear();
  unfolded_.clear();
  collected_after_ = last_row_id_;
  until_changed_ = false;
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> SqliteLabelRollups::Find(
    SqliteDatabase* database, std::int64_t project_id,
    const std::string& label_set) {
  const std::string key = IdKey(project_id, label_set);
  if (const std::int64_t* const known = ids_.Find(key)) return *known;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t id,
      database->QueryInt64("SELECT label_set_id FROM label_set "
                           "WHERE project_id=?1 AND labels=?2",
                           {project_id, label_set}));
  if (id != 0) ids_.Insert(key, id);
  return id;
}

absl::StatusOr<std::int64_t> SqliteLabelRollups::Insert(
    SqliteDatabase* database, std::int64_t project_id,
    const std::string& label_set) {
  TOKENUSAGE_RETURN_IF_ERROR(
      database->Run("INSERT INTO label_set(project_id, labels) VALUES(?1, ?2)",
                    {project_id, label_set}));
  const std::int64_t id = database->LastRowId();
  ids_.Insert(IdKey(project_id, label_set), id);
  return id;
}

bool SqliteLabelRollups::IsFull() const {
  return unfolded_.size() >= kMaxCollected;
}

void SqliteLabelRollups::OnInsert(std::int64_t row_id) {
  last_row_id_ = row_id;
  if (row_id > state_.until) return;
  // The records that had this id, and greater ones, were removed.
  state_.until = row_id - 1;
  until_changed_ = true;
}

void SqliteLabelRollups::Add(const SqliteStoredRecord& stored,
                             std::int64_t label_set_id,
                             const UsageCounts& counts) {
  if (labels().empty()) return;
  unfolded_[CellOf(stored, label_set_id)].Add(counts);
}

absl::Status SqliteLabelRollups::Subtract(SqliteDatabase* database,
                                          const SqliteStoredRecord& stored,
                                          const v1::UsageRecord& record,
                                          const UsageCounts& counts) {
  const bool is_folded = stored.row_id <= state_.until;
  // A record that is neither folded nor in memory is in no sum, and Fold will
  // not read it.
  if (labels().empty() || (!is_folded && stored.row_id <= collected_after_)) {
    return absl::OkStatus();
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t label_set_id,
      Find(database, stored.project_id, LabelSetOf(labels(), record)));
  SqliteSums& sums = is_folded ? subtracted_ : unfolded_;
  sums[CellOf(stored, label_set_id)].Subtract(counts);
  return absl::OkStatus();
}

absl::Status SqliteLabelRollups::Write(SqliteSums* quarter_hours,
                                       SqliteDatabase* database) {
  TOKENUSAGE_RETURN_IF_ERROR(
      quarter_hour_writer_.Add(*quarter_hours, database));
  TOKENUSAGE_RETURN_IF_ERROR(month_writer_.Add(*quarter_hours, database));
  quarter_hours->clear();
  return absl::OkStatus();
}

absl::Status SqliteLabelRollups::Flush(SqliteDatabase* database) {
  TOKENUSAGE_RETURN_IF_ERROR(Write(&subtracted_, database));
  return until_changed_ ? WriteUntil(database) : absl::OkStatus();
}

absl::Status SqliteLabelRollups::WriteUntil(SqliteDatabase* database) {
  until_changed_ = false;
  return WriteProperty(database, kUntil, absl::StrCat(state_.until));
}

absl::Status SqliteLabelRollups::Fold(SqliteDatabase* database,
                                      const CallLimits& limits) {
  if (labels().empty()) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(ReadUnfolded(database, limits));
  TOKENUSAGE_RETURN_IF_ERROR(Write(&unfolded_, database));
  state_.until = last_row_id_;
  collected_after_ = last_row_id_;
  until_changed_ = true;
  return Flush(database);
}

absl::Status SqliteLabelRollups::ReadUnfolded(SqliteDatabase* database,
                                              const CallLimits& limits) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT row_id, project_id, series_id, event_time, "
                       "record FROM usage_record NOT INDEXED "
                       "WHERE row_id>?1 AND row_id<=?2 AND "
                       "corrected_by IS NULL AND "
                       "event_time>=ifnull((SELECT horizon*1000000000 "
                       "FROM retention WHERE "
                       "project_id=usage_record.project_id), event_time)",
                       {state_.until, collected_after_}));
  DeadlineCheck deadline(limits);
  v1::UsageRecord record;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), rows.Blob(4), &record));
    if (!Counts(record)) continue;
    const SqliteStoredRecord stored = {rows.Int64(0), rows.Int64(1),
                                       rows.Int64(2), rows.Int64(3)};
    const std::string label_set = LabelSetOf(labels(), record);
    TOKENUSAGE_ASSIGN_OR_RETURN(std::int64_t label_set_id,
                                Find(database, stored.project_id, label_set));
    if (label_set_id == 0) {  // the keys are new
      TOKENUSAGE_ASSIGN_OR_RETURN(
          label_set_id, Insert(database, stored.project_id, label_set));
    }
    Add(stored, label_set_id, CountRecord(record));
    if (IsFull()) TOKENUSAGE_RETURN_IF_ERROR(Write(&unfolded_, database));
  }
}

absl::Status SqliteLabelRollups::RemoveFrom(SqliteDatabase* database,
                                            std::int64_t project_id,
                                            std::int64_t horizon) {
  const std::int64_t month = MonthOf(horizon);
  for (const auto& [table, from] : {std::pair(kLabelQuarterHourTable, horizon),
                                    std::pair(kLabelMonthTable, month)}) {
    TOKENUSAGE_RETURN_IF_ERROR(
        database->Run(absl::StrCat("DELETE FROM ", table.name,
                                   " WHERE project_id=?1 AND cell_start>=?2"),
                      {project_id, from}));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(absl::StrCat("SELECT ", kRollupColumns,
                                    ", label_set_id FROM label_rollup_quarter "
                                    "WHERE project_id=?1 AND cell_start>=?2"),
                       {project_id, month}));
  SqliteSums sums;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return month_writer_.Add(sums, database);
    const SqliteCell cell = {project_id, month, rows.Int64(kRollupColumnCount),
                             rows.Int64(0)};
    TOKENUSAGE_RETURN_IF_ERROR(AddRollup(rows, database->path(), &sums[cell]));
  }
}

absl::Status SqliteLabelRollups::Rebuild(SqliteDatabase* database,
                                         const CallLimits& limits) {
  if (labels().empty()) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows projects,
      database->Select("SELECT project_id, ifnull(horizon, 0) FROM project "
                       "LEFT JOIN retention USING(project_id)"));
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, projects.Step());
    if (!row) break;
    TOKENUSAGE_RETURN_IF_ERROR(
        RemoveFrom(database, projects.Int64(0), projects.Int64(1)));
  }
  state_.until = 0;
  collected_after_ = last_row_id_;
  unfolded_.clear();
  return Fold(database, limits);
}

absl::Status SqliteLabelRollups::SetLabels(SqliteDatabase* database,
                                           const RollupLabels& labels,
                                           const CallLimits& limits) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string project,
                              FindLabelHistory(database));
  if (!project.empty()) return LabelHistoryError(project, state_.labels);
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
      "DELETE FROM label_rollup_quarter;DELETE FROM label_rollup_month;"
      "DELETE FROM label_set;UPDATE retention SET labels_from=horizon"));
  TOKENUSAGE_RETURN_IF_ERROR(WriteRollupLabels(database, labels));
  state_.labels = labels;
  ids_.Clear();
  return Rebuild(database, limits);
}

}  // namespace tokenusage
