// SPDX-License-Identifier: Apache-2.0

// Wraps libpq's interface with ownership, deadlines and absl::Status.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto connection,
//                               PostgresConnection::Connect(target));
//   connection->Send(kBegin);
//   connection->Send(kInsert, "my-project", 12);
//   TOKENUSAGE_ASSIGN_OR_RETURN(PostgresResults results,
//                               connection->Sync(PostgresTimeouts::kStep));

#ifndef TOKENUSAGE_STORE_POSTGRES_CONNECTION_CONNECTION_H_
#define TOKENUSAGE_STORE_POSTGRES_CONNECTION_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libpq-fe.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/postgres/connection/values.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The time that PostgreSQL may take before the connection is abandoned.
struct PostgresTimeouts {
  // Setting up a session, cancelling a statement, rolling back: no work in the
  // server, so a slow answer means that the connection is dead.
  static constexpr absl::Duration kSession = absl::Seconds(5);

  // Probing whether the database can be written: a slow database is not
  // healthy.
  static constexpr absl::Duration kProbe = absl::Seconds(10);

  // One step of an append, or a read of a few rows by their key: longer than
  // the lock_timeout of 15 s.
  static constexpr absl::Duration kStep = absl::Seconds(30);

  // One step of maintenance or copying, which may delete or write many rows.
  static constexpr absl::Duration kMaintenanceStep = absl::Minutes(10);
};

// One SQL statement with parameters $1, $2, ... Its name is unique; a
// connection prepares it once, by its name.
struct PostgresStatement {
  const char* name;
  const char* sql;
};

// The rows of a statement's result, in binary representation. Rows and columns
// count from 0. Views live as long as this.
class PostgresResult {
 public:
  explicit PostgresResult(PGresult* result) : result_(result, &PQclear) {}

  int rows() const { return PQntuples(result_.get()); }
  // Returns the number of rows that an INSERT, UPDATE or DELETE changed.
  std::int64_t changed_rows() const;
  bool IsNull(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  // Returns a value of type text or bytea.
  std::string_view Bytes(int row, int column) const;
  // Returns a value of type boolean.
  bool Bool(int row, int column) const {
    return Bytes(row, column) == std::string_view("\1", 1);
  }
  // Returns a value of type bigint.
  std::int64_t Int64(int row, int column) const {
    return DecodePostgresInt64(Bytes(row, column));
  }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

using PostgresResults = std::vector<PostgresResult>;

// A connection. One thread at a time.
//
// Every method may return UNAVAILABLE, or DATA_LOSS if PostgreSQL finds its
// data damaged. Errors name the database and the SQLSTATE but never a
// parameter. See PostgresSqlState.
class PostgresConnection {
 public:
  // Connects, and sets up the session.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect(
      const PostgresTarget& target);

  // Adds a statement to the pipeline. Does not wait; failures are reported by
  // Sync.
  void Send(const PostgresStatement& statement,
            const PostgresParams& params = {});
  // Does the same with these values as parameters.
  template <typename... Values>
  void Send(const PostgresStatement& statement, std::string_view first,
            Values&&... others) {
    Send(statement, PostgresParams(first, std::forward<Values>(others)...));
  }

  // Waits for everything that was sent, and returns one result per statement,
  // or the first error, after which PostgreSQL skips the rest. If the time
  // passes, the connection is broken.
  absl::StatusOr<PostgresResults> Sync(absl::Duration timeout);

  // Sends a statement, waits like Sync, and returns the statement's result.
  template <typename... Params>
  absl::StatusOr<PostgresResult> Run(absl::Duration timeout,
                                     const PostgresStatement& statement,
                                     Params&&... params) {
    Send(statement, std::forward<Params>(params)...);
    absl::StatusOr<PostgresResults> results = Sync(timeout);
    if (!results.ok()) return results.status();
    return std::move(results->back());
  }

  // Called with one row at a time, as row 0; returns whether to continue.
  using RowCallback =
      std::function<absl::StatusOr<bool>(const PostgresResult& row)>;

  // Runs one statement and passes on its rows as they come, so that memory is
  // bounded. At the limits, or if `on_row` ends it, the statement is cancelled
  // in the server, too.
  //
  // Errors: as above, DEADLINE_EXCEEDED, CANCELLED, and those of `on_row`.
  absl::Status Stream(const PostgresStatement& statement,
                      const PostgresParams& params, const CallLimits& limits,
                      const RowCallback& on_row);

  // Runs SQL without parameters, which may be several statements, and returns
  // the last result; its values are text, whatever their type. As with Sync,
  // the connection is broken if the time passes.
  absl::StatusOr<PostgresResult> Execute(
      const std::string& sql,
      absl::Duration timeout = absl::InfiniteDuration());

  // Returns true if the connection can no longer be used.
  bool is_broken() const;

  // Returns whether a transaction is open, failed or not.
  bool in_transaction() const;

  int server_version() const { return PQserverVersion(handle_.get()); }
  // Returns a parameter that the server reports, such as "server_encoding".
  std::string ServerParameter(const char* name) const;
  const std::string& display() const { return display_; }

 private:
  PostgresConnection(PGconn* handle, std::string display)
      : handle_(handle, &PQfinish), display_(std::move(display)) {}

  // Sends or receives what is possible; waits for that until `deadline`.
  absl::Status WaitForSocket(absl::Time deadline);
  // Waits until PQgetResult does not block.
  absl::Status WaitForResult(absl::Time deadline);
  absl::Status WaitWithin(const CallLimits& limits);
  // Waits for the results of what was sent outside of a pipeline, and returns
  // the last, or the first error.
  absl::StatusOr<PostgresResult> LastResult(absl::Duration timeout);
  bool SendPrepare(const PostgresStatement& statement);
  absl::Status StreamRows(const CallLimits& limits, const RowCallback& on_row);
  // Cancels the running statement and drops its rows.
  void CancelAndDrain();
  absl::Status ConnectionError() const;
  absl::Status ResultError(const PGresult* result) const;

  const std::unique_ptr<PGconn, void (*)(PGconn*)> handle_;
  const std::string display_;
  std::set<std::string> prepared_;
  // The requests that were sent since the last Sync: the name for the
  // preparation of a statement, an empty string for its execution.
  std::vector<std::string> sent_;
  absl::Status send_error_;
  bool unusable_ = false;
};

// Returns the SQLSTATE of a statement's error; empty if there is none, such as
// after the connection was lost.
std::string PostgresSqlState(const absl::Status& status);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CONNECTION_CONNECTION_H_
