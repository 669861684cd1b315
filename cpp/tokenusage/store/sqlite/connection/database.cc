// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/database.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

constexpr int kBusyTimeoutMillis = 5000;

std::string UriOf(const std::string& path, std::string_view parameters) {
  return absl::StrCat(
      "file:",
      absl::StrReplaceAll(path, {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}}),
      "?", ToAbsl(parameters));
}

// Returns a result code.
int Bind(sqlite3_stmt* statement, int index, const SqliteValue& value,
         sqlite3_destructor_type lifetime) {
  // An empty view may hold a null pointer, which would bind NULL.
  const auto data = [](std::string_view view) {
    return view.empty() ? "" : view.data();
  };
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  if (const auto* const text = std::get_if<std::string_view>(&value)) {
    return sqlite3_bind_text64(statement, index, data(*text), text->size(),
                               lifetime, SQLITE_UTF8);
  }
  const std::string_view blob = std::get<SqliteBlob>(value).bytes;
  return sqlite3_bind_blob64(statement, index, data(blob), blob.size(),
                             lifetime);
}

}  // namespace

// ----------------------------------------------------------------- SqliteRows

absl::StatusOr<bool> SqliteRows::Step() {
  // SQLite would start over if it were stepped after the last row.
  if (at_end_) return false;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return database_->Error(code);
  at_end_ = true;
  return false;
}

std::int64_t SqliteRows::Int64(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteRows::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::string_view SqliteRows::Blob(int column) const {
  const void* blob = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (blob == nullptr) return "";
  return {static_cast<const char*>(blob), static_cast<std::size_t>(size)};
}

bool SqliteRows::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool SqliteRows::IsBlob(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_BLOB;
}

// ------------------------------------------------------------- SqliteDatabase

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const std::string& path, int flags, std::string_view parameters) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
  flags |= SQLITE_OPEN_NOMUTEX;
  if (!parameters.empty()) flags |= SQLITE_OPEN_URI;
  const std::string name = parameters.empty() ? path : UriOf(path, parameters);
  const int code =
      sqlite3_open_v2(name.c_str(), &database->handle_, flags, nullptr);
  if (code != SQLITE_OK) return database->Error(code);
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_timeout(database->handle_, kBusyTimeoutMillis);
  return database;
}

SqliteDatabase::~SqliteDatabase() {
  statements_.clear();
  sqlite3_close(handle_);
}

absl::Status SqliteDatabase::Execute(const std::string& sql) {
  const int code =
      sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::Status SqliteDatabase::Run(std::string_view sql, SqliteParams params) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteRows rows,
                              Begin(sql, params, SQLITE_STATIC));
  return rows.Step().status();
}

absl::StatusOr<SqliteRows> SqliteDatabase::Select(std::string_view sql,
                                                  SqliteParams params) {
  return Begin(sql, params, SQLITE_TRANSIENT);
}

absl::StatusOr<std::string> SqliteDatabase::QueryText(std::string_view sql,
                                                      SqliteParams params) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteRows rows,
                              Begin(sql, params, SQLITE_STATIC));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
  return std::string(row ? rows.Text(0) : "");
}

absl::StatusOr<std::int64_t> SqliteDatabase::QueryInt64(std::string_view sql,
                                                        SqliteParams params) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteRows rows,
                              Begin(sql, params, SQLITE_STATIC));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
  return row ? rows.Int64(0) : 0;
}

absl::StatusOr<SqliteRows> SqliteDatabase::Begin(
    std::string_view sql, SqliteParams params,
    sqlite3_destructor_type lifetime) {
  TOKENUSAGE_ASSIGN_OR_RETURN(sqlite3_stmt* const statement, Prepare(sql));
  SqliteRows rows(*this, statement);
  int index = 0;
  for (const SqliteValue& value : params) {
    const int code = Bind(statement, ++index, value, lifetime);
    if (code != SQLITE_OK) return Error(code);
  }
  return rows;
}

absl::StatusOr<sqlite3_stmt*> SqliteDatabase::Prepare(std::string_view sql) {
  const auto found = statements_.find(ToAbsl(sql));
  if (found != statements_.end()) return found->second.get();
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Error(code);
  statements_[std::string(sql)].reset(statement);
  return statement;
}

absl::Status SqliteDatabase::Error(int code) const {
  const char* detail =
      handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  const int primary = code & 0xFF;
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    return DamagedError(path_, detail);
  }
  return absl::UnavailableError(absl::StrCat("database ", path_, ": ", detail,
                                             " (SQLite code ", code, ")"));
}

}  // namespace tokenusage
