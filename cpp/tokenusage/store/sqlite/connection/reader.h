// SPDX-License-Identifier: Apache-2.0

// Reads from the database while the writer works.
//
//   absl::StatusOr<UsageQueryPage> page = reader->Read(
//       query.limits,
//       [&](SqliteDatabase* database) { return QueryUsage(database, query); });

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_READER_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_READER_H_

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/connection/read_gate.h"

namespace tokenusage {

// A pool of connections that only read. Thread-safe.
class SqliteReader {
 public:
  template <typename Function>
  using ResultOf = std::invoke_result_t<Function, SqliteDatabase*>;

  // Opens the first connection, and keeps it: as long as there is one, SQLite
  // keeps the index of the write-ahead log, which the first connection to a
  // database must write. So reads work even while the disk is full.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(std::string path);

  // Returns read(connection), a Status or StatusOr, called in a transaction:
  // one snapshot. Waits for the gate, within `limits`.
  template <typename Function>
  ResultOf<Function> Read(const CallLimits& limits, Function read) {
    TOKENUSAGE_RETURN_IF_ERROR(gate_.Enter(limits));
    ResultOf<Function> result = ReadInside(std::move(read));
    gate_.Leave();
    return result;
  }

  // Returns the gate that each read passes.
  ReadGate& gate() { return gate_; }

 private:
  static const absl::Status& StatusOf(const absl::Status& status) {
    return status;
  }
  template <typename Value>
  static const absl::Status& StatusOf(const absl::StatusOr<Value>& result) {
    return result.status();
  }

  explicit SqliteReader(std::string path) : path_(std::move(path)) {}

  template <typename Function>
  ResultOf<Function> ReadInside(Function read) {
    TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                                Take());
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN"));
    ResultOf<Function> result = read(database.get());
    const absl::Status& status = StatusOf(result);
    // After these errors the connection may be unusable.
    if (absl::IsUnavailable(status) || absl::IsDataLoss(status)) return result;
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute("ROLLBACK"));
    GiveBack(std::move(database));
    return result;
  }

  absl::StatusOr<std::unique_ptr<SqliteDatabase>> Take();
  void GiveBack(std::unique_ptr<SqliteDatabase> database);

  const std::string path_;
  ReadGate gate_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SqliteDatabase>> idle_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_READER_H_
