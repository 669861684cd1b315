// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/database.h"

#include <utility>

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

}  // namespace

// ------------------------------------------------------------ SqliteStatement

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

void SqliteStatement::NoteBind(int code) {
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
}

void SqliteStatement::Bind(int index, std::int64_t value) {
  NoteBind(sqlite3_bind_int64(handle_, index, value));
}

void SqliteStatement::BindText(int index, std::string_view text) {
  // An empty view may hold a null pointer, which would bind NULL.
  NoteBind(sqlite3_bind_text64(handle_, index, text.empty() ? "" : text.data(),
                               text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::BindBlob(int index, std::string_view blob) {
  NoteBind(sqlite3_bind_blob64(handle_, index, blob.empty() ? "" : blob.data(),
                               blob.size(), SQLITE_STATIC));
}

void SqliteStatement::BindNull(int index) {
  NoteBind(sqlite3_bind_null(handle_, index));
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = bind_code_ != SQLITE_OK ? bind_code_ : sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  absl::Status error = database_.Error(code);
  Reset();
  return error;
}

absl::Status SqliteStatement::Run() {
  const Use use(this);
  return Step().status();
}

std::int64_t SqliteStatement::Int64(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  if (text == nullptr) return "";
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::string_view SqliteStatement::Blob(int column) const {
  const void* blob = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  if (blob == nullptr) return "";
  return {static_cast<const char*>(blob), static_cast<std::size_t>(size)};
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

bool SqliteStatement::IsBlob(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_BLOB;
}

void SqliteStatement::Reset() {
  sqlite3_reset(handle_);
  bind_code_ = SQLITE_OK;
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

absl::StatusOr<std::string> SqliteDatabase::QueryText(const std::string& sql) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * statement, Cached(sql));
  const SqliteStatement::Use use(statement);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, statement->Step());
  return std::string(row ? statement->Text(0) : "");
}

absl::StatusOr<std::int64_t> SqliteDatabase::QueryInt64(
    const std::string& sql) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * statement, Cached(sql));
  const SqliteStatement::Use use(statement);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, statement->Step());
  return row ? statement->Int64(0) : 0;
}

absl::StatusOr<SqliteStatement*> SqliteDatabase::Cached(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second.get();
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return Error(code);
  std::unique_ptr<SqliteStatement> statement(
      new SqliteStatement(*this, handle));
  return statements_.emplace(sql, std::move(statement)).first->second.get();
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
