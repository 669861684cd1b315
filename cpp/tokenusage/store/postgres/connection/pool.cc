// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/pool.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"

namespace tokenusage {
namespace {

constexpr int kMaxAttempts = 8;
constexpr absl::Duration kMaxRetryTime = absl::Seconds(2);
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kMaxPause = absl::Milliseconds(500);

// The time after a failure to connect in which no call tries it again.
constexpr absl::Duration kConnectPause = absl::Milliseconds(100);

// The interval at which a call that waits for a connection checks its limits.
constexpr auto kLimitsInterval = std::chrono::milliseconds(50);

enum class Remedy {
  kNone,       // the same would happen again
  kRetry,      // try again; the connection is good
  kReconnect,  // try again on a new connection
};

// Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
Remedy RemedyOf(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return Remedy::kNone;
  const std::string state = PostgresSqlState(status);
  if (state.empty()) return Remedy::kReconnect;  // the connection was lost
  if (state == "40001" || state == "40P01") return Remedy::kRetry;
  // 08: connection lost; 57P: the server is stopping or starting; 53300: too
  // many connections; 25006: a standby; 26000, 42P05: a prepared statement is
  // missing or in the way; XX000: Citus lost a worker, which may be restarting.
  const bool reconnect = state.substr(0, 2) == "08" ||
                         state.substr(0, 3) == "57P" || state == "53300" ||
                         state == "25006" || state == "26000" ||
                         state == "42P05" || state == "XX000";
  return reconnect ? Remedy::kReconnect : Remedy::kNone;
}

}  // namespace

absl::Status PostgresPool::Run(const CallLimits& limits, const Work& work) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const absl::Time give_up = absl::Now() + kMaxRetryTime;
  absl::Duration pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    absl::Status status = RunOnce(limits, work);
    if (RemedyOf(status) == Remedy::kNone || attempt == kMaxAttempts ||
        absl::Now() + pause >= give_up || IsAway()) {
      return status;
    }
    absl::SleepFor(pause);
    if (!CheckLimits(limits).ok()) return status;
    pause = std::min(2 * pause, kMaxPause);
  }
}

absl::Status PostgresPool::RunOnce(const CallLimits& limits, const Work& work) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                              Take(limits));
  absl::Status status = work(connection.get());
  if (!connection->is_broken() && connection->in_transaction()) {
    connection->Execute("ROLLBACK", PostgresTimeouts::kSession).IgnoreError();
  }
  GiveBack(std::move(connection), status);
  return status;
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresPool::Take(
    const CallLimits& limits) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    while (idle_.empty() && open_ >= max_connections_) {
      changed_.wait_for(lock, kLimitsInterval);
      TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    }
    if (!idle_.empty()) {
      std::unique_ptr<PostgresConnection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
    if (absl::Now() < last_failure_ + kConnectPause) return last_error_;
    ++open_;
  }
  return Connect();
}

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresPool::Connect() {
  absl::StatusOr<std::unique_ptr<PostgresConnection>> connection =
      PostgresConnection::Connect(target_);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (connection.ok()) {
    away_since_ = absl::InfiniteFuture();
    last_failure_ = absl::InfinitePast();
    return connection;
  }
  --open_;
  last_failure_ = absl::Now();
  last_error_ = connection.status();
  away_since_ = std::min(away_since_, last_failure_);
  changed_.notify_one();
  return connection;
}

void PostgresPool::GiveBack(std::unique_ptr<PostgresConnection> connection,
                            const absl::Status& status) {
  std::vector<std::unique_ptr<PostgresConnection>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (connection->is_broken() || connection->in_transaction() ||
      RemedyOf(status) == Remedy::kReconnect) {
    // The idle ones are probably dead, too.
    dropped = std::move(idle_);
    idle_.clear();
    dropped.push_back(std::move(connection));
    open_ -= static_cast<int>(dropped.size());
    changed_.notify_all();
    return;
  }
  idle_.push_back(std::move(connection));
  changed_.notify_one();
}

bool PostgresPool::IsAway() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return absl::Now() > away_since_ + kMaxRetryTime;
}

}  // namespace tokenusage
