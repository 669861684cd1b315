// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/list.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/list_page.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/record_key.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

// The records of one time whose ids are TEXT, or those whose ids are BLOB, in
// order of id.
class IdCursor {
 public:
  explicit IdCursor(SqliteRows rows) : rows_(std::move(rows)) {}

  // Goes to the first or next record.
  absl::Status Next() {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows_.Step());
    id_ = row ? RecordIdAt(rows_, 0) : "";
    return absl::OkStatus();
  }

  bool at_end() const { return id_.empty(); }
  const std::string& id() const { return id_; }
  const SqliteRows& row() const { return rows_; }

 private:
  SqliteRows rows_;
  std::string id_;
};

// One list's work. The index orders by event_time and record_id, but puts every
// TEXT id before every BLOB id of the same time. So if a time has TEXT ids, its
// two kinds are merged; a time with UUIDs only is read in the index's order.
class ListRun {
 public:
  ListRun(SqliteDatabase* database, const RecordQuery& query,
          std::int64_t project_id)
      : database_(*database),
        query_(query),
        project_id_(project_id),
        deadline_(query.limits),
        page_(query) {}

  absl::StatusOr<RecordPage> Run();

 private:
  // Adds records from `from` on, until the page is full, the window ends, or a
  // time has TEXT ids; returns that time.
  absl::StatusOr<std::optional<std::int64_t>> AddUntilText(std::int64_t from);
  // Adds the records of one time whose ids are greater than `after`.
  absl::Status AddTime(std::int64_t time, const std::string& after);
  // Adds a record that passes the filters, unless the page is full.
  absl::Status Add(const SqliteRows& row, int first_column);
  // Selects `columns` of the project's records that match `condition`. The
  // first of `params` must be the project's id.
  absl::StatusOr<SqliteRows> Select(const char* columns, const char* condition,
                                    SqliteParams params);

  SqliteDatabase& database_;
  const RecordQuery& query_;
  const std::int64_t project_id_;
  DeadlineCheck deadline_;
  ListPage page_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::StatusOr<RecordPage> ListRun::Run() {
  std::int64_t from = query_.window.start_nanos;
  if (query_.after && query_.after->event_time_nanos >= from) {
    from = query_.after->event_time_nanos;
    if (from < query_.window.end_nanos) {
      TOKENUSAGE_RETURN_IF_ERROR(AddTime(from, query_.after->record_id));
    }
    ++from;
  }
  while (!page_.is_full()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::optional<std::int64_t> time,
                                AddUntilText(from));
    if (!time) break;
    TOKENUSAGE_RETURN_IF_ERROR(AddTime(*time, ""));
    from = *time + 1;
  }
  return page_.Finish();
}

absl::StatusOr<std::optional<std::int64_t>> ListRun::AddUntilText(
    std::int64_t from) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows, Select("event_time, record_id, record, corrected_by",
                              "event_time>=?2 AND event_time<?3 "
                              "ORDER BY event_time, record_id",
                              {project_id_, from, query_.window.end_nanos}));
  while (!page_.is_full()) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    if (!rows.IsBlob(1)) return rows.Int64(0);
    TOKENUSAGE_RETURN_IF_ERROR(Add(rows, 2));
  }
  return std::nullopt;
}

absl::Status ListRun::AddTime(std::int64_t time, const std::string& after) {
  // x'' is greater than every TEXT and less than every other BLOB.
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows texts,
      Select("record_id, record, corrected_by",
             "event_time=?2 AND record_id>?3 AND record_id<x'' "
             "ORDER BY record_id",
             {project_id_, time, after}));
  IdCursor text(std::move(texts));
  TOKENUSAGE_RETURN_IF_ERROR(text.Next());

  const std::optional<std::string> first_blob = FirstBlobAfter(after);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows blobs,
      Select("record_id, record, corrected_by",
             "event_time=?2 AND record_id>=?3 ORDER BY record_id",
             {project_id_, time, SqliteBlob{first_blob.value_or("")}}));
  IdCursor blob(std::move(blobs));
  if (first_blob) TOKENUSAGE_RETURN_IF_ERROR(blob.Next());
  while (!page_.is_full() && !(text.at_end() && blob.at_end())) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const bool take_text =
        blob.at_end() || (!text.at_end() && text.id() < blob.id());
    IdCursor& next = take_text ? text : blob;
    TOKENUSAGE_RETURN_IF_ERROR(Add(next.row(), 1));
    TOKENUSAGE_RETURN_IF_ERROR(next.Next());
  }
  return absl::OkStatus();
}

absl::StatusOr<SqliteRows> ListRun::Select(const char* columns,
                                           const char* condition,
                                           SqliteParams params) {
  return database_.Select(
      absl::StrCat("SELECT ", columns, " FROM usage_record INDEXED BY ",
                   query_.inconsistent_only
                       ? "inconsistent_record_by_time WHERE inconsistent=1 AND "
                       : "usage_record_by_time WHERE ",
                   "project_id=?1 AND ", condition),
      params);
}

absl::Status ListRun::Add(const SqliteRows& row, int first_column) {
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadRecord(row, first_column, database_.path(), &record_));
  if (!PassesAll(query_.filters, record_)) return absl::OkStatus();
  v1::UsageRecord* const next = page_.Add(row.Blob(first_column).size());
  if (next != nullptr) next->Swap(&record_);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadRecord(const SqliteRows& row, int first_column,
                        const std::string& path, v1::UsageRecord* record) {
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(path, row.Blob(first_column), record));
  const int by = first_column + 1;
  if (!row.IsNull(by)) record->set_corrected_by(RecordIdAt(row, by));
  return absl::OkStatus();
}

absl::StatusOr<RecordPage> ListUsageRecords(SqliteDatabase* database,
                                            const RecordQuery& query) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, query.project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database, project_id));
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, {query.project, horizon}));
  if (project_id == 0) return RecordPage();
  return ListRun(database, query, project_id).Run();
}

absl::StatusOr<v1::UsageRecord> GetUsageRecord(SqliteDatabase* database,
                                               std::string_view project,
                                               std::string_view record_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database, project_id));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT event_time, record, corrected_by "
                       "FROM usage_record "
                       "WHERE project_id=?1 AND record_id=?2",
                       {project_id, ValueOf(ToRecordKey(record_id))}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  // A record before the horizon counts as removed, even if the removal has not
  // deleted it yet.
  if (!found || rows.Int64(0) < horizon) {
    return absl::NotFoundError("no such record");
  }
  v1::UsageRecord record;
  TOKENUSAGE_RETURN_IF_ERROR(ReadRecord(rows, 1, database->path(), &record));
  return record;
}

}  // namespace tokenusage
