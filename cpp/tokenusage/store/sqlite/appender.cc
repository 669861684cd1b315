// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/appender.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/record_key.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

// The size from which SQLite truncates a log that it starts over.
constexpr std::int64_t kKeptLogBytes = 64 << 20;

std::string SeriesCacheKey(std::int64_t project_id,
                           const v1::UsageRecord& record) {
  return absl::StrCat(project_id, "/", SeriesKey(record));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteAppender>> SqliteAppender::Open(
    const std::string& path, int max_series, std::size_t max_known_series) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string mode,
                              database->QueryText("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::UnavailableError("database " + path +
                                  ": the file system does not allow WAL mode");
  }
  // A large cache, and few large checkpoints, keep random ids fast.
  TOKENUSAGE_RETURN_IF_ERROR(
      database->Execute(absl::StrCat("PRAGMA synchronous=FULL;"
                                     "PRAGMA wal_autocheckpoint=10000;"
                                     "PRAGMA cache_size=-65536;"
                                     "PRAGMA journal_size_limit=",
                                     kKeptLogBytes)));
  std::unique_ptr<SqliteAppender> appender(
      new SqliteAppender(std::move(database), max_series, max_known_series));
  TOKENUSAGE_RETURN_IF_ERROR(
      appender->label_rollups_.Load(appender->database()));
  return appender;
}

absl::Status SqliteAppender::Begin() {
  TOKENUSAGE_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  // Under the lock nobody else can write any more.
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t version,
                              database_->QueryInt64("PRAGMA data_version"));
  if (version == data_version_) return absl::OkStatus();
  data_version_ = version;
  rollups_.ForgetStored();
  projects_.Clear();
  series_.Clear();
  return label_rollups_.Load(database_.get());
}

absl::Status SqliteAppender::RestartLog() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t timeout,
                              database_->QueryInt64("PRAGMA busy_timeout"));
  return database_->Execute(
      absl::StrCat("PRAGMA busy_timeout=0;PRAGMA wal_checkpoint(TRUNCATE);"
                   "PRAGMA busy_timeout=",
                   timeout));
}

absl::Status SqliteAppender::Append(const std::string& project,
                                    const CheckedBatch& batch,
                                    std::vector<AppendOutcome>* outcomes) {
  TOKENUSAGE_ASSIGN_OR_RETURN(Project* const found, FindProject(project));
  outcomes->reserve(batch.size());
  for (const CheckedRecord& record : batch) {
    TOKENUSAGE_ASSIGN_OR_RETURN(AppendOutcome outcome,
                                AppendOne(project, record, found));
    outcomes->push_back(std::move(outcome));
  }
  return absl::OkStatus();
}

absl::Status SqliteAppender::Commit() {
  TOKENUSAGE_RETURN_IF_ERROR(rollups_.Flush(database_.get()));
  TOKENUSAGE_RETURN_IF_ERROR(label_rollups_.Flush(database_.get()));
  return database_->Execute("COMMIT");
}

absl::StatusOr<SqliteAppender::Project*> SqliteAppender::FindProject(
    const std::string& name) {
  if (Project* const known = projects_.Find(name)) return known;
  Project project;
  TOKENUSAGE_ASSIGN_OR_RETURN(project.project_id,
                              FindProjectId(database_.get(), name));
  TOKENUSAGE_ASSIGN_OR_RETURN(project.horizon,
                              ReadHorizon(database_.get(), project.project_id));
  return projects_.Insert(name, project);
}

absl::StatusOr<std::int64_t> SqliteAppender::FindSeries(
    const Project& project, const v1::UsageRecord& record) {
  if (project.project_id == 0) return 0;
  const std::string key = SeriesCacheKey(project.project_id, record);
  if (const std::int64_t* const known = series_.Find(key)) return *known;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t id,
      database_->QueryInt64("SELECT series_id FROM series WHERE project_id=?1 "
                            "AND operation=?2 AND provider=?3 AND model=?4",
                            {project.project_id, record.operation(),
                             record.provider(), record.model()}));
  if (id != 0) series_.Insert(key, id);
  return id;
}

absl::StatusOr<AppendOutcome> SqliteAppender::AppendOne(
    const std::string& project_name, const CheckedRecord& record,
    Project* project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::int64_t series_id,
                              FindSeries(*project, record.record()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool has_label_set,
                              HasLabelSet(*project, record.record()));
  TOKENUSAGE_ASSIGN_OR_RETURN(AppendOutcome refusal,
                              FindRefusal(record, *project));
  if (series_id == 0 || !has_label_set ||
      refusal.kind != AppendOutcome::kStored) {
    // A taken id is answered before anything else can refuse the record.
    TOKENUSAGE_ASSIGN_OR_RETURN(AppendOutcome stored,
                                CompareWithStored(record, *project));
    if (stored.kind != AppendOutcome::kStored) return stored;
    if (refusal.kind != AppendOutcome::kStored) return refusal;
    TOKENUSAGE_ASSIGN_OR_RETURN(
        series_id, CreateSeries(project_name, record.record(), series_id,
                                has_label_set, project));
    if (series_id == 0) return AppendOutcome::kCardinalityLimit;
  }
  const UsageCounts counts = record.counts();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const bool inserted,
      Insert(record, project->project_id, series_id, counts.inconsistent()));
  if (!inserted) return CompareWithStored(record, *project);
  const SqliteStoredRecord stored = {database_->LastRowId(),
                                     project->project_id, series_id,
                                     record.event_time_nanos()};
  label_rollups_.OnInsert(stored.row_id);
  if (Counts(record.record())) {
    rollups_.Add(series_id, stored.event_time_nanos, counts);
    label_rollups_.Add(stored, label_set_id_, counts);
  }
  if (!record.record().corrects().empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(Correct(record.record()));
  }
  return AppendOutcome::kStored;
}

absl::StatusOr<AppendOutcome> SqliteAppender::FindRefusal(
    const CheckedRecord& record, const Project& project) {
  if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
  if (record.event_time_nanos() < project.horizon) {
    return AppendOutcome::kBeforeHorizon;
  }
  if (record.record().corrects().empty()) return AppendOutcome::kStored;
  return FindCorrected(record.record().corrects(), project);
}

absl::StatusOr<AppendOutcome> SqliteAppender::FindCorrected(
    const std::string& record_id, const Project& project) {
  if (project.project_id == 0) return AppendOutcome::kCorrectedRecordNotFound;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_->Select("SELECT row_id, series_id, event_time, corrected_by, "
                        "record FROM usage_record "
                        "WHERE project_id=?1 AND record_id=?2",
                        {project.project_id, ValueOf(ToRecordKey(record_id))}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  // A record before the horizon counts as removed, even if the removal has not
  // deleted it yet.
  if (!found || rows.Int64(2) < project.horizon) {
    return AppendOutcome::kCorrectedRecordNotFound;
  }
  if (!rows.IsNull(3)) {
    return AppendOutcome(AppendOutcome::kAlreadyCorrected, RecordIdAt(rows, 3));
  }
  corrected_.stored = {rows.Int64(0), project.project_id, rows.Int64(1),
                       rows.Int64(2)};
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(database_->path(), rows.Blob(4), &corrected_.record));
  return AppendOutcome::kStored;
}

absl::Status SqliteAppender::Correct(const v1::UsageRecord& record) {
  TOKENUSAGE_RETURN_IF_ERROR(database_->Run(
      "UPDATE usage_record SET corrected_by=?2 WHERE row_id=?1",
      {corrected_.stored.row_id, ValueOf(ToRecordKey(record.record_id()))}));
  if (!Counts(corrected_.record)) return absl::OkStatus();
  const UsageCounts counts = CountRecord(corrected_.record);
  rollups_.Subtract(corrected_.stored.series_id,
                    corrected_.stored.event_time_nanos, counts);
  return label_rollups_.Subtract(database_.get(), corrected_.stored,
                                 corrected_.record, counts);
}

absl::StatusOr<AppendOutcome> SqliteAppender::CompareWithStored(
    const CheckedRecord& record, const Project& project) {
  if (project.project_id == 0) return AppendOutcome::kStored;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_->Select("SELECT record FROM usage_record "
                        "WHERE project_id=?1 AND record_id=?2",
                        {project.project_id,
                         ValueOf(ToRecordKey(record.record().record_id()))}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  if (!found) return AppendOutcome::kStored;
  v1::UsageRecord stored;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(database_->path(), rows.Blob(0), &stored));
  return CompareContent(stored, record.record());
}

absl::StatusOr<bool> SqliteAppender::HasLabelSet(
    const Project& project, const v1::UsageRecord& record) {
  if (label_rollups_.labels().empty()) return true;
  label_set_ = LabelSetOf(label_rollups_.labels(), record);
  if (project.project_id == 0) return false;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      label_set_id_,
      label_rollups_.Find(database_.get(), project.project_id, label_set_));
  return label_set_id_ != 0;
}

absl::StatusOr<std::int64_t> SqliteAppender::CreateSeries(
    const std::string& project_name, const v1::UsageRecord& record,
    std::int64_t series_id, bool has_label_set, Project* project) {
  if (!project->series_count) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        project->series_count,
        database_->QueryInt64(
            "SELECT (SELECT count(*) FROM series WHERE project_id=?1)+"
            "(SELECT count(*) FROM label_set WHERE project_id=?1)",
            {project->project_id}));
  }
  const std::int64_t count = *project->series_count + (series_id == 0 ? 1 : 0) +
                             (has_label_set ? 0 : 1);
  if (count > max_series_) return 0;
  if (project->project_id == 0) {
    TOKENUSAGE_RETURN_IF_ERROR(
        database_->Run("INSERT INTO project(name) VALUES(?1)", {project_name}));
    project->project_id = database_->LastRowId();
  }
  project->series_count = count;
  if (!has_label_set) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        label_set_id_, label_rollups_.Insert(database_.get(),
                                             project->project_id, label_set_));
  }
  if (series_id != 0) return series_id;
  return InsertSeries(record, *project);
}

absl::StatusOr<std::int64_t> SqliteAppender::InsertSeries(
    const v1::UsageRecord& record, const Project& project) {
  TOKENUSAGE_RETURN_IF_ERROR(database_->Run(
      "INSERT INTO series(project_id, operation, provider, model) "
      "VALUES(?1, ?2, ?3, ?4)",
      {project.project_id, record.operation(), record.provider(),
       record.model()}));
  const std::int64_t id = database_->LastRowId();
  series_.Insert(SeriesCacheKey(project.project_id, record), id);
  return id;
}

absl::StatusOr<bool> SqliteAppender::Insert(const CheckedRecord& record,
                                            std::int64_t project_id,
                                            std::int64_t series_id,
                                            bool inconsistent) {
  record.SerializeTo(&bytes_);
  TOKENUSAGE_RETURN_IF_ERROR(database_->Run(
      "INSERT INTO usage_record(project_id, record_id, event_time, "
      "series_id, inconsistent, record) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT(project_id, record_id) DO NOTHING",
      {project_id, ValueOf(ToRecordKey(record.record().record_id())),
       record.event_time_nanos(), series_id, inconsistent ? 1 : 0,
       SqliteBlob{bytes_}}));
  return database_->ChangedRows() == 1;
}

}  // namespace tokenusage
