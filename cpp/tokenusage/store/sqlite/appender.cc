// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/appender.h"

#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/record_key.h"
#include "tokenusage/store/sqlite/series.h"

namespace tokenusage {
namespace {

// Beyond this many series in memory, all are dropped and read again on demand.
constexpr std::size_t kMaxKnownSeries = 200'000;

void BindRecordKey(const RecordKey& key, int index,
                   SqliteStatement* statement) {
  if (key.is_blob) {
    statement->BindBlob(index, key.bytes);
  } else {
    statement->BindText(index, key.bytes);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteAppender>> SqliteAppender::Open(
    const std::string& path) {
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
      database->Execute("PRAGMA synchronous=FULL;"
                        "PRAGMA wal_autocheckpoint=10000;"
                        "PRAGMA cache_size=-65536;"));
  return std::unique_ptr<SqliteAppender>(
      new SqliteAppender(std::move(database)));
}

absl::Status SqliteAppender::Begin() {
  if (known_series_ > kMaxKnownSeries) ForgetProjects();
  TOKENUSAGE_RETURN_IF_ERROR(database_->Execute("BEGIN IMMEDIATE"));
  TOKENUSAGE_ASSIGN_OR_RETURN(horizon_, ReadHorizon(database_.get()));
  return absl::OkStatus();
}

void SqliteAppender::ForgetProjects() {
  projects_.clear();
  known_series_ = 0;
}

absl::Status SqliteAppender::Append(const std::string& project,
                                    const CheckedBatch& batch,
                                    std::vector<AppendOutcome>* outcomes) {
  TOKENUSAGE_ASSIGN_OR_RETURN(Project* const found, FindProject(project));
  outcomes->reserve(batch.size());
  for (const CheckedRecord& record : batch) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const AppendOutcome outcome,
                                AppendOne(project, record, found));
    outcomes->push_back(outcome);
  }
  return absl::OkStatus();
}

absl::Status SqliteAppender::Commit() {
  TOKENUSAGE_RETURN_IF_ERROR(rollups_.Flush(database_.get()));
  return database_->Execute("COMMIT");
}

absl::StatusOr<SqliteAppender::Project*> SqliteAppender::FindProject(
    const std::string& name) {
  const auto [entry, added] = projects_.try_emplace(name);
  Project* project = &entry->second;
  if (!added) return project;
  TOKENUSAGE_ASSIGN_OR_RETURN(project->project_id,
                              FindProjectId(database_.get(), name));
  TOKENUSAGE_RETURN_IF_ERROR(ForEachSeries(
      database_.get(), project->project_id,
      [project](std::int64_t series_id, const SeriesNames& names) {
        project->series.emplace(SeriesKey(names), series_id);
      }));
  known_series_ += project->series.size() + 1;  // the project takes room, too
  return project;
}

absl::StatusOr<AppendOutcome> SqliteAppender::AppendOne(
    const std::string& project_name, const CheckedRecord& record,
    Project* project) {
  const std::string key = SeriesKey(record.record());
  auto series = project->series.find(key);
  const bool new_series = series == project->series.end();
  const bool too_early = record.event_time_nanos() < horizon_;
  if (new_series || record.too_far_ahead() || too_early) {
    // A taken id is answered before anything else can refuse the record.
    TOKENUSAGE_ASSIGN_OR_RETURN(const AppendOutcome stored,
                                CompareWithStored(record, *project));
    if (stored != AppendOutcome::kStored) return stored;
    if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
    if (too_early) return AppendOutcome::kBeforeHorizon;
    if (project->series.size() >= kMaxSeriesPerProject) {
      return AppendOutcome::kCardinalityLimit;
    }
    TOKENUSAGE_RETURN_IF_ERROR(
        CreateSeries(project_name, record.record(), key, project));
    series = project->series.find(key);
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const bool inserted, Insert(record, project->project_id, series->second));
  if (!inserted) return CompareWithStored(record, *project);
  rollups_.Add(series->second, record.event_time_nanos(), record.counts());
  return AppendOutcome::kStored;
}

absl::StatusOr<AppendOutcome> SqliteAppender::CompareWithStored(
    const CheckedRecord& record, const Project& project) {
  if (project.project_id == 0) return AppendOutcome::kStored;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached("SELECT record FROM usage_record "
                        "WHERE project_id=?1 AND record_id=?2"));
  const RecordKey key = ToRecordKey(record.record().record_id());
  const SqliteStatement::Use use(select);
  select->Bind(1, project.project_id);
  BindRecordKey(key, 2, select);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return AppendOutcome::kStored;
  v1::UsageRecord stored;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(database_->path(), select->Blob(0), &stored));
  return SameContent(stored, record.record()) ? AppendOutcome::kDuplicate
                                              : AppendOutcome::kConflict;
}

absl::Status SqliteAppender::CreateSeries(const std::string& project_name,
                                          const v1::UsageRecord& record,
                                          const std::string& key,
                                          Project* project) {
  if (project->project_id == 0) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        SqliteStatement * insert,
        database_->Cached("INSERT INTO project(name) VALUES(?1)"));
    insert->BindText(1, project_name);
    TOKENUSAGE_RETURN_IF_ERROR(insert->Run());
    project->project_id = database_->LastRowId();
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * insert,
      database_->Cached("INSERT INTO series(project_id, operation, provider, "
                        "model) VALUES(?1, ?2, ?3, ?4)"));
  insert->Bind(1, project->project_id);
  insert->BindText(2, record.operation());
  insert->BindText(3, record.provider());
  insert->BindText(4, record.model());
  TOKENUSAGE_RETURN_IF_ERROR(insert->Run());
  project->series.emplace(key, database_->LastRowId());
  ++known_series_;
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteAppender::Insert(const CheckedRecord& record,
                                            std::int64_t project_id,
                                            std::int64_t series_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * insert,
      database_->Cached(
          "INSERT INTO usage_record(project_id, record_id, event_time, "
          "series_id, record) VALUES(?1, ?2, ?3, ?4, ?5) "
          "ON CONFLICT(project_id, record_id) DO NOTHING"));
  const RecordKey key = ToRecordKey(record.record().record_id());
  insert->Bind(1, project_id);
  BindRecordKey(key, 2, insert);
  insert->Bind(3, record.event_time_nanos());
  insert->Bind(4, series_id);
  record.SerializeTo(&bytes_);
  insert->BindBlob(5, bytes_);
  TOKENUSAGE_RETURN_IF_ERROR(insert->Run());
  return database_->ChangedRows() == 1;
}

}  // namespace tokenusage
