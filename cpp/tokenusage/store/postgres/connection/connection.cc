// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"

namespace tokenusage {
namespace {

constexpr char kSqlStateUrl[] = "tokenusage/sqlstate";
constexpr int kBinary = 1;

// The interval at which a waiting read checks its limits.
constexpr absl::Duration kLimitsInterval = absl::Milliseconds(50);

// Durable means on disk, whatever the role's settings are. A process that hangs
// in a transaction must not block others forever. JIT compilation takes longer
// than running these statements.
constexpr char kSessionSql[] =
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off';"
    "SET idle_in_transaction_session_timeout = '30s';"
    "SET lock_timeout = '15s';"
    "SET jit = off;"
    // Plans are kept: one that was made when a table was small must not scan it
    // when it is large.
    "SET enable_seqscan = off";

// Joins lines into one.
std::string OneLine(const char* text) {
  std::string line = text == nullptr ? "" : text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

bool IsGood(const PGresult* result) {
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_PIPELINE_SYNC:
      return true;
    default:
      return false;
  }
}

// Parameters in libpq's representation.
struct RawParams {
  explicit RawParams(const PostgresParams& params) {
    const auto size = static_cast<std::size_t>(params.size());
    values.reserve(size);
    lengths.reserve(size);
    formats.assign(size, kBinary);
    for (int i = 0; i < params.size(); ++i) {
      const std::optional<std::string>& value = params.value(i);
      values.push_back(value ? value->data() : nullptr);
      lengths.push_back(value ? static_cast<int>(value->size()) : 0);
    }
  }

  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

bool SendPrepared(PGconn* handle, const PostgresStatement& statement,
                  const PostgresParams& params) {
  const RawParams raw(params);
  return PQsendQueryPrepared(handle, statement.name, params.size(),
                             raw.values.data(), raw.lengths.data(),
                             raw.formats.data(), kBinary) == 1;
}

}  // namespace

// ------------------------------------------------------------- PostgresResult

std::int64_t PostgresResult::changed_rows() const {
  return std::atoll(PQcmdTuples(result_.get()));
}

std::string_view PostgresResult::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

// --------------------------------------------------------- PostgresConnection

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresTarget& target) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : target.settings()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* handle = PQconnectdbParams(keywords.data(), values.data(), 0);
  if (handle == nullptr) return absl::UnavailableError("out of memory");
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(handle, target.display()));
  if (PQstatus(handle) != CONNECTION_OK) return connection->ConnectionError();
  // Notices would go to stderr.
  PQsetNoticeReceiver(
      handle, [](void*, const PGresult*) {}, nullptr);
  if (PQsetnonblocking(handle, 1) != 0) return connection->ConnectionError();
  TOKENUSAGE_RETURN_IF_ERROR(
      connection->Execute(kSessionSql, PostgresTimeouts::kSession).status());
  return connection;
}

bool PostgresConnection::SendPrepare(const PostgresStatement& statement) {
  return PQsendPrepare(handle_.get(), statement.name, statement.sql, 0,
                       nullptr) == 1;
}

void PostgresConnection::Send(const PostgresStatement& statement,
                              const PostgresParams& params) {
  if (!send_error_.ok()) return;
  PGconn* const handle = handle_.get();
  bool good = PQpipelineStatus(handle) != PQ_PIPELINE_OFF ||
              PQenterPipelineMode(handle) == 1;
  if (good && prepared_.count(statement.name) == 0 &&
      std::find(sent_.begin(), sent_.end(), statement.name) == sent_.end()) {
    good = SendPrepare(statement);
    sent_.push_back(statement.name);
  }
  good = good && SendPrepared(handle, statement, params);
  sent_.emplace_back();
  if (!good) send_error_ = ConnectionError();
}

absl::StatusOr<PostgresResults> PostgresConnection::Sync(
    absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  PGconn* const handle = handle_.get();
  const std::vector<std::string> sent = std::exchange(sent_, {});
  absl::Status status = std::exchange(send_error_, absl::OkStatus());
  if (status.ok() && PQpipelineSync(handle) != 1) status = ConnectionError();
  if (!status.ok()) {
    unusable_ = true;
    return status;
  }
  PostgresResults results;
  for (std::size_t done = 0;;) {
    TOKENUSAGE_RETURN_IF_ERROR(WaitForResult(deadline));
    PGresult* const raw = PQgetResult(handle);
    if (raw == nullptr) {
      if (is_broken()) return status.ok() ? ConnectionError() : status;
      ++done;  // the end of one statement's results
      continue;
    }
    PostgresResult result(raw);
    if (PQresultStatus(raw) == PGRES_PIPELINE_SYNC) break;
    if (!IsGood(raw)) {
      if (status.ok()) status = ResultError(raw);
    } else if (done < sent.size() && sent[done].empty()) {
      results.push_back(std::move(result));
    } else if (done < sent.size()) {
      prepared_.insert(sent[done]);
    }
  }
  if (PQexitPipelineMode(handle) != 1 && status.ok()) {
    status = ConnectionError();
  }
  if (!status.ok()) return status;
  return results;
}

absl::Status PostgresConnection::WaitForSocket(absl::Time deadline) {
  const bool unsent = PQflush(handle_.get()) == 1;
  pollfd waiting = {PQsocket(handle_.get()),
                    static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0};
  const absl::Duration left =
      std::min(deadline - absl::Now(), absl::Duration(absl::Seconds(60)));
  const auto millis = std::max<std::int64_t>(
      0, absl::ToInt64Milliseconds(left + absl::Microseconds(999)));
  if (poll(&waiting, 1, static_cast<int>(millis)) < 0 && errno != EINTR) {
    return ConnectionError();
  }
  if ((waiting.revents & ~POLLOUT) != 0 && PQconsumeInput(handle_.get()) != 1) {
    return ConnectionError();
  }
  return absl::OkStatus();
}

absl::Status PostgresConnection::WaitForResult(absl::Time deadline) {
  while (PQflush(handle_.get()) == 1 || PQisBusy(handle_.get()) == 1) {
    if (absl::Now() >= deadline) {
      unusable_ = true;
      return absl::UnavailableError(
          absl::StrCat("database ", display_, " did not answer in time"));
    }
    TOKENUSAGE_RETURN_IF_ERROR(WaitForSocket(deadline));
  }
  return absl::OkStatus();
}

absl::Status PostgresConnection::WaitWithin(const CallLimits& limits) {
  while (PQflush(handle_.get()) == 1 || PQisBusy(handle_.get()) == 1) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    TOKENUSAGE_RETURN_IF_ERROR(WaitForSocket(
        std::min(limits.deadline, absl::Now() + kLimitsInterval)));
  }
  return absl::OkStatus();
}

absl::StatusOr<PostgresResult> PostgresConnection::LastResult(
    absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  PostgresResult last(nullptr);
  absl::Status status;
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(WaitForResult(deadline));
    PGresult* const raw = PQgetResult(handle_.get());
    if (raw == nullptr) break;
    PostgresResult result(raw);
    if (!IsGood(raw) && status.ok()) status = ResultError(raw);
    last = std::move(result);
  }
  if (!status.ok()) return status;
  return last;
}

absl::StatusOr<PostgresResult> PostgresConnection::Execute(
    const std::string& sql, absl::Duration timeout) {
  if (PQsendQuery(handle_.get(), sql.c_str()) != 1) return ConnectionError();
  return LastResult(timeout);
}

absl::Status PostgresConnection::Stream(const PostgresStatement& statement,
                                        const PostgresParams& params,
                                        const CallLimits& limits,
                                        const RowCallback& on_row) {
  if (prepared_.count(statement.name) == 0) {
    if (!SendPrepare(statement)) return ConnectionError();
    TOKENUSAGE_RETURN_IF_ERROR(LastResult(PostgresTimeouts::kSession).status());
    prepared_.insert(statement.name);
  }
  if (!SendPrepared(handle_.get(), statement, params) ||
      PQsetSingleRowMode(handle_.get()) != 1) {
    return ConnectionError();
  }
  absl::Status status = StreamRows(limits, on_row);
  if (is_broken()) return status;
  CancelAndDrain();
  // libpq leaves single-row mode only when a command is sent outside a
  // pipeline: otherwise the first result of the next Sync would have one row.
  Execute("", PostgresTimeouts::kSession).IgnoreError();
  return status;
}

absl::Status PostgresConnection::StreamRows(const CallLimits& limits,
                                            const RowCallback& on_row) {
  DeadlineCheck check(limits);
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(check.Check());
    TOKENUSAGE_RETURN_IF_ERROR(WaitWithin(limits));
    PGresult* const raw = PQgetResult(handle_.get());
    if (raw == nullptr) return absl::OkStatus();
    const PostgresResult result(raw);
    if (!IsGood(raw)) return ResultError(raw);
    if (PQresultStatus(raw) != PGRES_SINGLE_TUPLE) continue;  // the end
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool more, on_row(result));
    if (!more) return absl::OkStatus();
  }
}

void PostgresConnection::CancelAndDrain() {
  if (PQtransactionStatus(handle_.get()) != PQTRANS_ACTIVE) return;
  const std::unique_ptr<PGcancel, void (*)(PGcancel*)> cancel(
      PQgetCancel(handle_.get()), &PQfreeCancel);
  std::array<char, 256> error = {};
  PQcancel(cancel.get(), error.data(), static_cast<int>(error.size()));
  LastResult(PostgresTimeouts::kSession).IgnoreError();
}

bool PostgresConnection::is_broken() const {
  return unusable_ || PQstatus(handle_.get()) != CONNECTION_OK;
}

bool PostgresConnection::in_transaction() const {
  return PQtransactionStatus(handle_.get()) != PQTRANS_IDLE;
}

std::string PostgresConnection::ServerParameter(const char* name) const {
  const char* value = PQparameterStatus(handle_.get(), name);
  return value == nullptr ? "" : value;
}

absl::Status PostgresConnection::ConnectionError() const {
  return absl::UnavailableError(absl::StrCat(
      "database ", display_, ": ", OneLine(PQerrorMessage(handle_.get()))));
}

absl::Status PostgresConnection::ResultError(const PGresult* result) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message == nullptr) message = PQresultErrorMessage(result);
  std::string text =
      absl::StrCat("database ", display_, ": ", OneLine(message));
  if (state == nullptr) return absl::UnavailableError(text);
  absl::StrAppend(&text, " (SQLSTATE ", state, ")");
  // Class XX: 001 is data_corrupted, 002 index_corrupted.
  const std::string_view view = state;
  absl::Status status = view == "XX001" || view == "XX002"
                            ? absl::DataLossError(text)
                            : absl::UnavailableError(text);
  status.SetPayload(kSqlStateUrl, absl::Cord(state));
  return status;
}

std::string PostgresSqlState(const absl::Status& status) {
  const auto payload = status.GetPayload(kSqlStateUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace tokenusage
