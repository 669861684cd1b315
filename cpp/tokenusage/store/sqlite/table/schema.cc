// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/schema.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

// SQLite keeps the text of these statements, and CheckSqliteSchema compares it:
// any change is a new version. So the comments are outside of the text.

// A project that is being deleted has another name: see deleted_project.h.
constexpr const char* kProject =
    "CREATE TABLE project("
    "project_id INTEGER PRIMARY KEY,"
    "name TEXT NOT NULL UNIQUE)";

// The distinct (operation, provider, model) of a project's records.
constexpr const char* kSeries =
    "CREATE TABLE series("
    "series_id INTEGER PRIMARY KEY,"
    "project_id INTEGER NOT NULL,"
    "operation TEXT NOT NULL,"
    "provider TEXT NOT NULL,"  // empty if the record has none
    "model TEXT NOT NULL,"     // empty if the record has none
    "UNIQUE(project_id,operation,provider,model))";

constexpr const char* kUsageRecord =
    "CREATE TABLE usage_record("
    "row_id INTEGER PRIMARY KEY,"     // in the order of arrival
    "project_id INTEGER NOT NULL,"    //
    "record_id BLOB NOT NULL,"        // 16 bytes of a UUID, else TEXT: see
                                      // record_key.h
    "event_time INTEGER NOT NULL,"    // nanoseconds since 1970, UTC
    "series_id INTEGER NOT NULL,"     //
    "inconsistent INTEGER NOT NULL,"  // whether the usage contradicts itself: 0
                                      // or 1
    "corrected_by BLOB,"              // the record_id of the record that
                                      // corrects it, or NULL
    "record BLOB NOT NULL,"           // a complete tokenusage.v1.UsageRecord
    "UNIQUE(project_id,record_id))";

constexpr const char* kRecordByTime =
    "CREATE INDEX usage_record_by_time ON "
    "usage_record(project_id,event_time,record_id)";

constexpr const char* kInconsistentByTime =
    "CREATE INDEX inconsistent_record_by_time ON "
    "usage_record(project_id,event_time,record_id) WHERE inconsistent=1";

// The sums of a series' records in each quarter hour, and each hour, of UTC. A
// cell without records has no row.
constexpr const char* kRollup =
    "("
    "series_id INTEGER NOT NULL,"
    "cell_start INTEGER NOT NULL,"    // seconds since 1970, UTC
    "record_count INTEGER NOT NULL,"  //
    "inconsistent_record_count INTEGER NOT NULL,"
    "unknown_usage_record_count INTEGER NOT NULL,"
    "measure_sums BLOB NOT NULL,"  // see measure_sums.h
    "PRIMARY KEY(series_id,cell_start)) WITHOUT ROWID";

// The distinct values of the rollup labels in a project's records.
constexpr const char* kLabelSet =
    "CREATE TABLE label_set("
    "label_set_id INTEGER PRIMARY KEY,"
    "project_id INTEGER NOT NULL,"
    "labels TEXT NOT NULL,"  // see label_set.h
    "UNIQUE(project_id,labels))";

// The same sums by series and label set, in each quarter hour and each month.
// They hold the records up to row_id label_rollups_until of `property`.
constexpr const char* kLabelRollup =
    "("
    "project_id INTEGER NOT NULL,"
    "cell_start INTEGER NOT NULL,"
    "label_set_id INTEGER NOT NULL,"
    "series_id INTEGER NOT NULL,"
    "record_count INTEGER NOT NULL,"
    "inconsistent_record_count INTEGER NOT NULL,"
    "unknown_usage_record_count INTEGER NOT NULL,"
    "measure_sums BLOB NOT NULL,"
    "PRIMARY KEY(project_id,cell_start,label_set_id,series_id)) WITHOUT ROWID";

// Horizon and retention time of each project. Projects of which nothing was
// removed, and that have no separate retention time, may have no row.
constexpr const char* kRetention =
    "CREATE TABLE retention("
    "project_id INTEGER PRIMARY KEY,"
    "horizon INTEGER NOT NULL,"  // records before were removed, and their
                                 // rollups kept: seconds since 1970, UTC, a
                                 // whole hour; 0 if nothing was removed
    "retain_seconds INTEGER,"    // NULL: the service's default
    "labels_from INTEGER NOT NULL DEFAULT 0)";  // there are no rollups by label
                                                // before: like horizon

// The deletions of records, which outlive their projects.
constexpr const char* kDeletion =
    "CREATE TABLE deletion("
    "deletion_id INTEGER PRIMARY KEY,"
    "project TEXT NOT NULL,"
    "start_time INTEGER NOT NULL,"  // seconds since 1970, UTC
    "selection TEXT NOT NULL,"      // for people
    "record_count INTEGER NOT NULL)";

// Properties of the whole database.
constexpr const char* kProperty =
    "CREATE TABLE property("
    "name TEXT NOT NULL PRIMARY KEY,"  // page_token_key, rollup_labels,
                                       // label_rollups_until
    "value TEXT NOT NULL) WITHOUT ROWID";

std::string AllTables() {
  return absl::StrCat(kProject, ";", kSeries, ";", kUsageRecord, ";",
                      kRecordByTime, ";", kInconsistentByTime,
                      ";CREATE TABLE rollup_quarter", kRollup,
                      ";CREATE TABLE rollup_hour", kRollup, ";", kLabelSet,
                      ";CREATE TABLE label_rollup_quarter", kLabelRollup,
                      ";CREATE TABLE label_rollup_month", kLabelRollup, ";",
                      kRetention, ";", kDeletion, ";", kProperty, ";");
}

// Returns all that the database defines, without what ANALYZE adds.
absl::StatusOr<std::string> Definitions(SqliteDatabase* database) {
  return database->QueryText(
      "SELECT group_concat(definition, char(10)) FROM ("
      "SELECT type || ' ' || name || ' ' || ifnull(sql, '') AS definition "
      "FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' "
      "ORDER BY type, name)");
}

absl::StatusOr<std::string> ExpectedDefinitions() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> model,
      SqliteDatabase::Open(":memory:", SQLITE_OPEN_READWRITE));
  TOKENUSAGE_RETURN_IF_ERROR(model->Execute(AllTables()));
  return Definitions(model.get());
}

}  // namespace

absl::Status CreateSqliteSchema(SqliteDatabase* database) {
  return database->Execute(absl::StrCat(
      "BEGIN IMMEDIATE;", AllTables(),
      "INSERT INTO property VALUES('page_token_key',hex(randomblob(16))),"
      "('rollup_labels',''),('label_rollups_until','0');",
      "PRAGMA application_id=", kSqliteApplicationId, ";",
      "PRAGMA user_version=", kSqliteSchemaVersion, ";", "COMMIT;"));
}

absl::Status CheckSqliteSchema(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t id,
                              database->QueryInt64("PRAGMA application_id"));
  if (id != kSqliteApplicationId) {
    return ForeignFileError(database->path(),
                            absl::StrCat("its application_id is ", id));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t version,
                              database->QueryInt64("PRAGMA user_version"));
  TOKENUSAGE_RETURN_IF_ERROR(CheckSchemaVersion(database->path(), version));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string found, Definitions(database));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string expected,
                              ExpectedDefinitions());
  if (found == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "database ", database->path(), " does not have the tables of version ",
      version, ": they were changed by something else"));
}

absl::Status ForeignFileError(const std::string& path, const std::string& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("file ", path, " is not a database of tokenusage: ", why));
}

absl::Status CheckSchemaVersion(const std::string& path, std::int64_t version) {
  if (version == kSqliteSchemaVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "database ", path, " has version ", version, "; this program knows ",
      kSqliteSchemaVersion,
      version > kSqliteSchemaVersion ? ": use a newer program" : " only"));
}

}  // namespace tokenusage
