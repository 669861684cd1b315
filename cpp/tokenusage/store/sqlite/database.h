// SPDX-License-Identifier: Apache-2.0

// Wraps SQLite's C interface with ownership and absl::Status.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * statement,
//                               db.Cached("SELECT name FROM project"));
//   const SqliteStatement::Use use(statement);
//   for (;;) {
//     TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, statement->Step());
//     if (!row) break;
//     Print(statement->Text(0));
//   }

#ifndef TOKENUSAGE_STORE_SQLITE_DATABASE_H_
#define TOKENUSAGE_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sqlite3.h"

namespace tokenusage {

class SqliteDatabase;

// A prepared statement. Parameters count from 1, columns from 0.
class SqliteStatement {
 public:
  // Resets a statement at the end of a scope. In the middle of its rows it
  // holds a lock.
  class Use {
   public:
    explicit Use(SqliteStatement* statement) : statement_(statement) {}
    ~Use() { statement_->Reset(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    SqliteStatement* statement_;
  };

  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Bind a value. Texts and blobs are not copied: they must live until Reset. A
  // failure is reported by the next Step.
  void Bind(int index, std::int64_t value);
  void BindText(int index, std::string_view text);
  void BindBlob(int index, std::string_view blob);
  void BindNull(int index);

  // Goes to the next row; returns false after the last one.
  absl::StatusOr<bool> Step();

  // Runs a statement that has no rows, and resets it.
  absl::Status Run();

  // Return the current row's columns. Views live until the next Step or Reset.
  std::int64_t Int64(int column) const;
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;
  bool IsNull(int column) const;
  bool IsBlob(int column) const;

  void Reset();

 private:
  friend class SqliteDatabase;
  SqliteStatement(const SqliteDatabase& database, sqlite3_stmt* handle)
      : database_(database), handle_(handle) {}
  void NoteBind(int code);

  const SqliteDatabase& database_;
  sqlite3_stmt* handle_;
  int bind_code_ = SQLITE_OK;
};

// A connection. One thread at a time.
class SqliteDatabase {
 public:
  // Opens a database. `flags` are those of sqlite3_open_v2, `parameters` those
  // of SQLite's URI filenames, such as "immutable=1"; with them, `path` must be
  // absolute. Waits up to 5 s for others' locks.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path, int flags, std::string_view parameters = "");

  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs statements without parameters, and ignores their rows.
  absl::Status Execute(const std::string& sql);

  // Return the first column of the first row; empty or 0 if there is no row.
  absl::StatusOr<std::string> QueryText(const std::string& sql);
  absl::StatusOr<std::int64_t> QueryInt64(const std::string& sql);

  // Returns the prepared statement for `sql`, which is kept with the
  // connection.
  absl::StatusOr<SqliteStatement*> Cached(std::string_view sql);

  // Returns the number of rows that the last INSERT, UPDATE or DELETE changed.
  int ChangedRows() const { return sqlite3_changes(handle_); }
  std::int64_t LastRowId() const { return sqlite3_last_insert_rowid(handle_); }

  // Returns the error for a result code of this connection: DATA_LOSS if the
  // file is damaged, otherwise UNAVAILABLE. Names the path.
  absl::Status Error(int code) const;

  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }

 private:
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, std::unique_ptr<SqliteStatement>, std::less<>>
      statements_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_DATABASE_H_
