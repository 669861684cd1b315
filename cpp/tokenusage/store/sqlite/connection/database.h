// SPDX-License-Identifier: Apache-2.0

// Wraps SQLite's C interface with ownership and absl::Status.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       SqliteRows rows,
//       database->Select("SELECT name FROM project WHERE name>?1", {first}));
//   for (;;) {
//     TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
//     if (!row) break;
//     Print(rows.Text(0));
//   }

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_DATABASE_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sqlite3.h"

namespace tokenusage {

class SqliteDatabase;

// The values of a statement's parameters: ?1 is the first. Views must live
// until the call to which they are passed returns.
struct SqliteBlob {
  std::string_view bytes;
};
using SqliteValue = std::variant<std::int64_t, std::string_view, SqliteBlob>;
using SqliteParams = absl::Span<const SqliteValue>;

// The rows of a statement. Until its last row, or until this object ends, the
// statement may hold a lock. Must not outlive the database. A statement may
// have only one such object at a time.
class SqliteRows {
 public:
  // Goes to the first or next row; returns false after the last one.
  absl::StatusOr<bool> Step();

  // Return the current row's columns, which count from 0. Views live until the
  // next Step.
  std::int64_t Int64(int column) const;
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;
  bool IsNull(int column) const;
  bool IsBlob(int column) const;

 private:
  friend class SqliteDatabase;
  struct Reset {
    void operator()(sqlite3_stmt* statement) const { sqlite3_reset(statement); }
  };
  SqliteRows(const SqliteDatabase& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  const SqliteDatabase* database_;
  std::unique_ptr<sqlite3_stmt, Reset> statement_;
  bool at_end_ = false;
};

// A connection. One thread at a time.
class SqliteDatabase {
 public:
  // Opens a database. `flags` are those of sqlite3_open_v2, `parameters` those
  // of SQLite's URI filenames, such as "immutable=1"; with them, `path` must be
  // absolute. Statements wait up to 5 s for locks of other connections.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path, int flags, std::string_view parameters = "");

  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs statements without parameters, and ignores their rows.
  absl::Status Execute(const std::string& sql);

  // Runs a statement that has no rows.
  absl::Status Run(std::string_view sql, SqliteParams params);

  // Begins a statement that has rows. Copies texts and blobs of `params`.
  absl::StatusOr<SqliteRows> Select(std::string_view sql,
                                    SqliteParams params = {});

  // Return the first column of the first row; empty or 0 if there is no row.
  absl::StatusOr<std::string> QueryText(std::string_view sql,
                                        SqliteParams params = {});
  absl::StatusOr<std::int64_t> QueryInt64(std::string_view sql,
                                          SqliteParams params = {});

  // Returns the number of rows that the last INSERT, UPDATE or DELETE changed.
  int ChangedRows() const { return sqlite3_changes(handle_); }
  std::int64_t LastRowId() const { return sqlite3_last_insert_rowid(handle_); }

  // Returns the error for a result code of this connection: DATA_LOSS if the
  // file is damaged, otherwise UNAVAILABLE. Names the path.
  absl::Status Error(int code) const;

  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };

  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  // Prepares a statement, and binds its parameters. `lifetime` is SQLITE_STATIC
  // or SQLITE_TRANSIENT.
  absl::StatusOr<SqliteRows> Begin(std::string_view sql, SqliteParams params,
                                   sqlite3_destructor_type lifetime);
  // Returns the prepared statement for `sql`, which is kept with the
  // connection.
  absl::StatusOr<sqlite3_stmt*> Prepare(std::string_view sql);

  std::string path_;
  sqlite3* handle_ = nullptr;
  absl::flat_hash_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>>
      statements_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_DATABASE_H_
