// SPDX-License-Identifier: Apache-2.0

// Connections that are kept open, and what to do when they fail.
//
//   PostgresPool pool(target, 8);
//   absl::Status status = pool.Run(limits, [&](PostgresConnection* connection)
//   {
//     connection->Send(statement, params);
//     return connection->Sync(deadline).status();
//   });

#ifndef TOKENUSAGE_STORE_POSTGRES_POOL_H_
#define TOKENUSAGE_STORE_POSTGRES_POOL_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/target.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// At most so many connections to one database. Thread-safe.
class PostgresPool {
 public:
  // Nothing is connected before it is needed. `max_connections` is at least 1.
  PostgresPool(PostgresTarget target, int max_connections)
      : target_(std::move(target)), max_connections_(max_connections) {}

  // The work of one attempt: may be called again, on another connection, after
  // it returned an error. A transaction that it leaves open is rolled back.
  using Work = std::function<absl::Status(PostgresConnection* connection)>;

  // Calls `work` with a connection of its own until it succeeds. It is tried
  // again, for a second or two, where that may help: after a serialization
  // failure, a deadlock, a lost connection, a server that is starting or has no
  // room for a connection.
  //
  // Errors: those of `work` and of connecting, and DEADLINE_EXCEEDED or
  // CANCELLED by the limits, which are looked at between attempts.
  absl::Status Run(const CallLimits& limits, const Work& work);

 private:
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Take(
      const CallLimits& limits);
  absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect();
  // Keeps the connection, or drops it where the error says that it, and maybe
  // all that are as old, are good for nothing.
  void GiveBack(std::unique_ptr<PostgresConnection> connection,
                const absl::Status& status);
  absl::Status TryOnce(const CallLimits& limits, const Work& work);
  // Whether the database has been out of reach for so long that waiting for it
  // would only hold up the callers.
  bool IsAway();

  const PostgresTarget target_;
  const int max_connections_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  int open_ = 0;  // in use, idle or being made
  // Since the last success: when connecting first failed, and when and how
  // last.
  absl::Time away_since_ = absl::InfiniteFuture();
  absl::Time last_failure_ = absl::InfinitePast();
  absl::Status last_error_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_POOL_H_
