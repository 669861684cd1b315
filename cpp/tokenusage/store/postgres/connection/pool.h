// SPDX-License-Identifier: Apache-2.0

// Keeps connections open, and retries when they fail.
//
//   PostgresPool pool(target, 8);
//   absl::Status status = pool.Run(limits, [&](PostgresConnection* c) {
//     return c->Run(PostgresTimeouts::kStep, statement, project).status();
//   });

#ifndef TOKENUSAGE_STORE_POSTGRES_CONNECTION_POOL_H_
#define TOKENUSAGE_STORE_POSTGRES_CONNECTION_POOL_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// A pool of up to `max_connections` connections to one database. Thread-safe.
class PostgresPool {
 public:
  // Connects on demand. `max_connections` must be at least 1.
  PostgresPool(PostgresTarget target, int max_connections)
      : target_(std::move(target)), max_connections_(max_connections) {}

  // The work of one attempt: may be called again, on another connection, after
  // it returned an error. A transaction that it leaves open is rolled back.
  using Work = std::function<absl::Status(PostgresConnection* connection)>;

  // Calls `work` with a connection. Retries for up to two seconds if that may
  // help: after a serialization failure, a deadlock, a lost connection, or if
  // the server is starting or has no free connection.
  //
  // Errors: those of `work` and of connecting, and DEADLINE_EXCEEDED or
  // CANCELLED by the limits, which are checked before each attempt. If they end
  // the retries, the error is that of the last attempt.
  absl::Status Run(const CallLimits& limits, const Work& work);

  // Does the same without retries. The limits only bound the wait for a
  // connection.
  absl::Status RunOnce(const CallLimits& limits, const Work& work);

  // Calls Run with work that returns an absl::StatusOr<Result>, and returns the
  // result of the last attempt.
  template <typename Result, typename Call>
  absl::StatusOr<Result> RunFor(const CallLimits& limits, const Call& call) {
    absl::StatusOr<Result> result = absl::UnknownError("not run");
    const absl::Status status =
        Run(limits, [&](PostgresConnection* connection) {
          result = call(connection);
          return result.status();
        });
    // Without a connection, nothing was called.
    if (!status.ok()) return status;
    return result;
  }

 private:
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Take(
      const CallLimits& limits);
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect();
  // Keeps the connection, or discards it, and all idle ones, if the error shows
  // that it is dead.
  void GiveBack(std::unique_ptr<PostgresConnection> connection,
                const absl::Status& status);
  // Returns whether the database has been unreachable for so long that retries
  // would only delay the callers.
  bool IsAway();

  const PostgresTarget target_;
  const int max_connections_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  int open_ = 0;  // in use, idle or connecting
  // Of the failures to connect since the last success: the time of the first,
  // and the time and error of the last.
  absl::Time away_since_ = absl::InfiniteFuture();
  absl::Time last_failure_ = absl::InfinitePast();
  absl::Status last_error_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CONNECTION_POOL_H_
