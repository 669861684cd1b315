// SPDX-License-Identifier: Apache-2.0

// libpq's interface with owners, deadlines and absl::Status.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto connection,
//                               PostgresConnection::Connect(target));
//   connection->Send(kBegin);
//   connection->Send(kInsert, params);
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto results, connection->Sync(deadline));

#ifndef TOKENUSAGE_STORE_POSTGRES_CONNECTION_H_
#define TOKENUSAGE_STORE_POSTGRES_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libpq-fe.h"
#include "tokenusage/store/postgres/target.h"
#include "tokenusage/store/postgres/values.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// One SQL statement with parameters $1, $2, ... The name is its own among all
// that a connection runs: by it, it is prepared once.
struct PostgresStatement {
  std::string name;
  std::string sql;
};

// The rows that a statement answered, in binary form. Rows and columns count
// from 0. Views live as long as this.
class PostgresResult {
 public:
  explicit PostgresResult(PGresult* result) : result_(result, &PQclear) {}

  int rows() const { return PQntuples(result_.get()); }
  // How many rows an INSERT, UPDATE or DELETE changed.
  std::int64_t changed_rows() const;
  bool IsNull(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  // Of a column of type text or bytea.
  std::string_view Bytes(int row, int column) const;
  // Of a column of type bigint.
  std::int64_t Int64(int row, int column) const {
    return DecodePostgresInt64(Bytes(row, column));
  }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

// A connection. One thread at a time.
//
// Errors of all methods are UNAVAILABLE, DATA_LOSS where PostgreSQL finds its
// data damaged, or those that are said; they name the database and the SQLSTATE
// but never a parameter. See PostgresSqlState.
class PostgresConnection {
 public:
  // Connects, and sets what every session of ours needs.
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect(
      const PostgresTarget& target);

  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Adds a statement to the pipeline. Nothing waits before Sync, and failures
  // are reported there.
  void Send(const PostgresStatement& statement,
            const PostgresParams& params = {});

  // Waits for all that was sent, and returns one result per statement, or the
  // first error. PostgreSQL skips what comes after an error. After a deadline
  // the connection is broken.
  absl::StatusOr<std::vector<PostgresResult>> Sync(absl::Time deadline);

  // Called with one row at a time (number 0 of the result); false ends it.
  using RowCallback =
      std::function<absl::StatusOr<bool>(const PostgresResult& row)>;

  // Runs one statement and passes on its rows as they come, so that memory is
  // bounded. At the limits, or where `on_row` ends it, the statement is
  // cancelled in the server, too.
  //
  // Errors: as above, DEADLINE_EXCEEDED, CANCELLED, and those of `on_row`.
  absl::Status Stream(const PostgresStatement& statement,
                      const PostgresParams& params, const CallLimits& limits,
                      const RowCallback& on_row);

  // Runs SQL without parameters, which may be several statements, and returns
  // the last result; its values are text, whatever their type. As with Sync,
  // the connection is broken after a deadline.
  absl::StatusOr<PostgresResult> Execute(
      const std::string& sql, absl::Time deadline = absl::InfiniteFuture());

  // Whether it is good for nothing any more.
  bool is_broken() const;

  // Whether a transaction is under way, failed or not.
  bool in_transaction() const;

  int server_version() const { return PQserverVersion(handle_.get()); }
  // What the server says of itself: "server_encoding" and so on.
  std::string ServerParameter(const char* name) const;
  const std::string& display() const { return display_; }

 private:
  PostgresConnection(PGconn* handle, std::string display)
      : handle_(handle, &PQfinish), display_(std::move(display)) {}

  // Sends what is left and reads what has come; waits for either until the
  // deadline.
  absl::Status WaitForSocket(absl::Time deadline);
  // Waits until PQgetResult does not block.
  absl::Status WaitForResult(absl::Time deadline);
  absl::Status WaitWithin(const CallLimits& limits);
  // Waits for all results of what was sent outside of a pipeline, and returns
  // the last, or the first error.
  absl::StatusOr<PostgresResult> LastResult(absl::Time deadline);
  bool SendPrepare(const PostgresStatement& statement);
  absl::Status StreamRows(const CallLimits& limits, const RowCallback& on_row);
  // Stops the statement under way and drops its rows.
  void CancelAndDrain();
  absl::Status ConnectionError() const;
  absl::Status ResultError(const PGresult* result) const;

  const std::unique_ptr<PGconn, void (*)(PGconn*)> handle_;
  const std::string display_;
  std::set<std::string> prepared_;
  // What the pipeline was given since the last Sync: a statement's preparation,
  // by its name, or, without a name, a statement.
  std::vector<std::string> sent_;
  absl::Status send_error_;
  bool unusable_ = false;
};

// The SQLSTATE of an error of a statement; empty where there is none, as where
// the connection was lost.
std::string PostgresSqlState(const absl::Status& status);

// DATA_LOSS: what was read from the database cannot be.
absl::Status DamagedPostgresError(const PostgresConnection& connection,
                                  std::string_view what);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CONNECTION_H_
