// SPDX-License-Identifier: Apache-2.0

// Appends and removals that other transactions, damage or a lost connection
// interfere with, and what removals cost them.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libpq-fe.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/table/sql.h"

namespace tokenusage::testing {
namespace {

constexpr char kNoon[] = "2026-08-01T12:00:00Z";

std::unique_ptr<UsageStore> OpenAt(const std::string& url) {
  return OpenPostgresStore(url).value();
}

v1::UsageRecord Record(const std::string& id) { return RecordAt(id, kNoon, 1); }

AppendOutcome AppendOne(UsageStore* store, const v1::UsageRecord& record) {
  return store->Append("p", CheckedOf({record})).value().at(0);
}

// A connection of another program.
class Session {
 public:
  explicit Session(const std::string& url)
      : connection_(PQconnectdb(url.c_str()), &PQfinish) {}

  // Returns the SQLSTATE of an error; empty if there was none.
  std::string Run(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

template <typename Future>
bool IsWaiting(const Future& future) {
  return future.wait_for(std::chrono::milliseconds(300)) ==
         std::future_status::timeout;
}

TEST(PostgresAppendTest, WaitsForTheHorizonThatIsBeingMoved) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  // From now on the project and its series are known.
  ASSERT_EQ(AppendOne(store.get(), Record("a")), AppendOutcome::kStored);
  Session other(url);
  ASSERT_EQ(other.Run("BEGIN"), "");
  ASSERT_EQ(other.Run("UPDATE tokenusage.project SET horizon = 1785589200 "
                      "WHERE project = 'p'"),  // 13:00
            "");
  auto outcome = std::async(
      std::launch::async, [&] { return AppendOne(store.get(), Record("b")); });
  EXPECT_TRUE(IsWaiting(outcome));
  ASSERT_EQ(other.Run("COMMIT"), "");
  EXPECT_EQ(outcome.get(), AppendOutcome::kBeforeHorizon);
}

TEST(PostgresAppendTest, WaitsForTheProjectThatIsBeingDeleted) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  ASSERT_EQ(AppendOne(store.get(), Record("a")), AppendOutcome::kStored);
  Session other(url);
  ASSERT_EQ(other.Run("BEGIN"), "");
  for (const char* table :
       {"usage_record", "usage_rollup", "series", "project"}) {
    ASSERT_EQ(other.Run(std::string("DELETE FROM tokenusage.") + table +
                        " WHERE project = 'p'"),
              "");
  }
  auto outcome = std::async(
      std::launch::async, [&] { return AppendOne(store.get(), Record("b")); });
  EXPECT_TRUE(IsWaiting(outcome));
  ASSERT_EQ(other.Run("COMMIT"), "");
  EXPECT_EQ(outcome.get(), AppendOutcome::kStored);
  const auto check = store->maintenance()->Check(CheckOptions()).value();
  EXPECT_EQ(check.problem_count, 0);
  EXPECT_EQ(check.record_count, 1);
}

// Otherwise two appends of the same records could wait for each other.
TEST(PostgresAppendTest, InsertsInTheOrderOfIds) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  ASSERT_EQ(AppendOne(store.get(), Record("first")), AppendOutcome::kStored);
  const auto insert = [](const std::string& id) {
    return "INSERT INTO tokenusage.usage_record VALUES('p', '" + id +
           "', 0, false, '')";
  };
  Session last(url);
  ASSERT_EQ(last.Run("BEGIN"), "");
  ASSERT_EQ(last.Run(insert("z")), "");
  auto outcomes = std::async(std::launch::async, [&] {
    return store->Append("p",
                         CheckedOf({Record("z"), Record("b"), Record("a")}));
  });
  EXPECT_TRUE(IsWaiting(outcomes));
  Session others(url);
  ASSERT_EQ(others.Run("BEGIN"), "");
  for (const char* id : {"a", "b"}) {
    ASSERT_EQ(others.Run("SAVEPOINT s"), "");
    EXPECT_NE(
        others.Run("SET LOCAL statement_timeout = '300ms'; " + insert(id)), "")
        << id << " is not inserted yet";
    ASSERT_EQ(others.Run("ROLLBACK TO s"), "");
  }
  ASSERT_EQ(others.Run("ROLLBACK"), "");
  ASSERT_EQ(last.Run("ROLLBACK"), "");
  EXPECT_EQ(outcomes.get().value(),
            std::vector<AppendOutcome>(3, AppendOutcome::kStored));
}

TEST(PostgresAppendTest, OfCorrectionsByTwoProcessesOneWins) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto first = OpenAt(url);
  const auto second = OpenAt(url);
  for (int round = 0; round < 20; ++round) {
    const std::string id = "r" + std::to_string(round);
    ASSERT_EQ(AppendOne(first.get(), Record(id)), AppendOutcome::kStored);
    const auto correct = [&](UsageStore* store, const std::string& name) {
      v1::UsageRecord correction = Record(id + name);
      correction.set_corrects(id);
      return AppendOne(store, correction);
    };
    auto other = std::async(std::launch::async,
                            [&] { return correct(second.get(), "b"); });
    const AppendOutcome a = correct(first.get(), "a");
    const AppendOutcome b = other.get();
    const auto lost = [&](const std::string& winner) {
      return AppendOutcome(AppendOutcome::kAlreadyCorrected, id + winner);
    };
    EXPECT_TRUE((a == AppendOutcome::kStored && b == lost("a")) ||
                (b == AppendOutcome::kStored && a == lost("b")))
        << a << ", " << b;
  }
  const auto check = first->maintenance()->Check(CheckOptions()).value();
  EXPECT_EQ(check.problem_count, 0);
  EXPECT_EQ(check.record_count, 40);
}

TEST(PostgresAppendTest, ARollupWithoutWhatIsCorrectedIsRefused) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  ASSERT_EQ(AppendOne(store.get(), Record("a")), AppendOutcome::kStored);
  RunPostgresSql(url, "DELETE FROM tokenusage.usage_rollup");
  v1::UsageRecord taken_back = Record("v");
  taken_back.set_corrects("a");
  taken_back.clear_usage();
  const AppendResult result = store->Append("p", CheckedOf({taken_back}));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(store->GetRecord("p", "a")->corrected_by(), "");
  ASSERT_THAT(store->maintenance()->RebuildRollups(CallLimits()), IsOk());
  EXPECT_EQ(AppendOne(store.get(), taken_back), AppendOutcome::kStored);
  EXPECT_EQ(RunPostgresSql(url, "SELECT count(*) FROM tokenusage.usage_rollup"),
            "0");
}

TEST(PostgresAppendTest, WhatCorrectsARecordGoesWithIt) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  const auto corrected = [&](const std::string& id, const char* time) {
    v1::UsageRecord correction = RecordAt(id + "2", time, 1);
    correction.set_corrects(id);
    EXPECT_EQ(store->Append("p", CheckedOf({RecordAt(id, time, 1), correction}))
                  .value(),
              std::vector<AppendOutcome>(2, AppendOutcome::kStored));
  };
  const auto ids = [&] {
    return RunPostgresSql(url,
                          "SELECT string_agg(record_id, ' ' ORDER BY record_id)"
                          " FROM tokenusage.correction");
  };
  StoreMaintenance& maintenance = *store->maintenance();
  corrected("a", "2026-08-01T09:00:00Z");
  corrected("b", kNoon);
  corrected("c", kNoon);
  EXPECT_EQ(ids(), "a b c");
  ASSERT_THAT(maintenance.RemoveRecordsBefore(
                  "p", absl::FromUnixNanos(Nanos("2026-08-01T12:00:00Z")), {}),
              IsOk());
  EXPECT_EQ(ids(), "b c");
  RecordSelection selection;
  selection.project = "p";
  selection.window = {0, Nanos("2027-01-01T00:00:00Z")};
  selection.record_ids = {"b"};
  ASSERT_THAT(maintenance.DeleteRecords(selection, false, {}), IsOk());
  EXPECT_EQ(ids(), "c");
  // A new record with its id is not corrected.
  EXPECT_EQ(AppendOne(store.get(), Record("b")), AppendOutcome::kStored);
  EXPECT_EQ(store->GetRecord("p", "b")->corrected_by(), "");
  ASSERT_THAT(maintenance.DeleteProject("p", {}), IsOk());
  EXPECT_EQ(ids(), "");
}

TEST(PostgresAppendTest, KeptRecordsDoNotSlowARemoval) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  // Returns how often a removal looked whether it is cancelled: it does before
  // each of its steps.
  const auto removal_steps = [&](const char* horizon) {
    int looks = 0;
    CallLimits limits;
    limits.is_cancelled = [&looks] { return ++looks < 0; };
    const auto removal = store->maintenance()->RemoveRecordsBefore(
        "p", absl::FromUnixNanos(Nanos(horizon)), limits);
    EXPECT_EQ(removal.value().record_count, 1) << horizon;
    return looks;
  };
  AppendOne(store.get(), RecordAt("a", "2026-08-01T09:30:00Z", 1));
  AppendOne(store.get(), RecordAt("b", "2026-08-01T10:30:00Z", 1));
  const int steps = removal_steps("2026-08-01T10:00:00Z");
  RunPostgresSql(url,
                 "INSERT INTO tokenusage.usage_record "
                 "SELECT 'p', i::text, " +
                     std::to_string(Nanos(kNoon)) +
                     " + i * 1000000000::bigint, false, ''::bytea "
                     "FROM generate_series(1, 60000) AS i");
  EXPECT_EQ(removal_steps("2026-08-01T11:00:00Z"), steps);
}

TEST(PostgresAppendTest, NoticesThatRollupLabelsWereChanged) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto service = OpenAt(url);
  const auto append = [&](const std::string& project) {
    v1::UsageRecord record = Record("a");
    (*record.mutable_labels())["team"] = "red";
    EXPECT_EQ(service->Append(project, CheckedOf({record})).value().at(0),
              AppendOutcome::kStored);
  };
  append("old");
  const auto command = OpenAt(url);
  ASSERT_THAT(command->maintenance()->SetRollupLabels({"team"}, {}), IsOk());
  append("new");
  append("newer");
  EXPECT_EQ(
      RunPostgresSql(url,
                     "SELECT string_agg(project || ' ' || rollup_labels, ', ' "
                     "ORDER BY project COLLATE \"C\") FROM tokenusage.project"),
      "new team, newer team, old team");
  const auto check = command->maintenance()->Check(CheckOptions()).value();
  EXPECT_EQ(check.problem_count, 0);
}

// Otherwise the project would have the labels from before.
TEST(PostgresAppendTest, AddsNoProjectWhileRollupLabelsChange) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  Session other(url);
  ASSERT_EQ(other.Run("BEGIN"), "");
  ASSERT_EQ(other.Run(postgres_sql::kLockLabels.sql), "");
  ASSERT_EQ(other.Run("UPDATE tokenusage.property SET value = 'team' "
                      "WHERE name = 'rollup_labels'"),
            "");
  auto outcome = std::async(
      std::launch::async, [&] { return AppendOne(store.get(), Record("a")); });
  EXPECT_TRUE(IsWaiting(outcome));
  ASSERT_EQ(other.Run("COMMIT"), "");
  EXPECT_EQ(outcome.get(), AppendOutcome::kStored);
  EXPECT_EQ(RunPostgresSql(url, "SELECT rollup_labels FROM tokenusage.project"),
            "team");
}

TEST(PostgresAppendTest, DamageFailsOnlyTheBatchThatMeetsIt) {
  const std::string url = SharedPostgresServer().NewDatabase();
  PostgresStoreOptions options;
  options.max_write_connections = 1;
  auto store = OpenPostgresStore(url, options).value();
  ASSERT_EQ(AppendOne(store.get(), Record("a")), AppendOutcome::kStored);
  RunPostgresSql(url, "UPDATE tokenusage.usage_record SET record = '\\xff'");
  // Holds the only thread that writes, so that one commit takes all batches.
  std::promise<void> entered;
  std::promise<void> released;
  store->AppendAsync("p", CheckedOf({Record("first")}), CallLimits(),
                     [&](const AppendResult&) {
                       entered.set_value();
                       released.get_future().wait();
                     });
  entered.get_future().wait();
  std::vector<absl::StatusCode> codes(3);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    store->AppendAsync("p", CheckedOf({Record(std::string(1, "bac"[i]))}),
                       CallLimits(), [&codes, i](const AppendResult& result) {
                         codes[i] = result.status().code();
                       });
  }
  released.set_value();
  store.reset();  // answers all
  EXPECT_EQ(codes, (std::vector<absl::StatusCode>{absl::StatusCode::kOk,
                                                  absl::StatusCode::kDataLoss,
                                                  absl::StatusCode::kOk}));
}

// Passes bytes on between the store and the server. After LoseNextCommit, drops
// the answer to the next commit, and both connections.
class LossyProxy {
 public:
  explicit LossyProxy(int server_port) : server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 16);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~LossyProxy() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
    close(listener_);
  }

  int port() const { return port_; }
  void LoseNextCommit() { lose_commit_ = true; }
  bool has_lost_commit() const { return !lose_commit_; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void Accept() {
    for (;;) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = Loopback(server_port_);
      connect(server, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address));
      connections_.emplace_back(
          [this, client, server] { Pass(client, server); });
    }
  }

  void Pass(int client, int server) {
    std::array<pollfd, 2> ends = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    std::array<char, 65536> bytes;
    for (bool open = true; open;) {
      poll(ends.data(), ends.size(), -1);
      for (std::size_t i = 0; i < ends.size() && open; ++i) {
        if (ends[i].revents == 0) continue;
        const ssize_t size = read(ends[i].fd, bytes.data(), bytes.size());
        open = size > 0 &&
               !Loses(i == 1, {bytes.data(), static_cast<std::size_t>(size)});
        if (open) {
          open = write(ends[1 - i].fd, bytes.data(),
                       static_cast<std::size_t>(size)) == size;
        }
      }
    }
    close(client);
    close(server);
  }

  bool Loses(bool from_server, std::string_view bytes) {
    // The command tag in the server's CommandComplete message.
    constexpr std::string_view kCommitted("COMMIT\0", 7);
    return from_server && bytes.find(kCommitted) != std::string_view::npos &&
           lose_commit_.exchange(false);
  }

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> lose_commit_{false};
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // used by acceptor_ until it ends
};

// Opens the store of the shared server's database at `url` through the proxy.
std::unique_ptr<UsageStore> OpenThrough(const LossyProxy& proxy,
                                        std::string url) {
  const std::string port = std::to_string(SharedPostgresServer().port());
  url.replace(url.find(port), port.size(), std::to_string(proxy.port()));
  return OpenAt(url + "?sslmode=disable");
}

TEST(PostgresAppendTest, ACommitWhoseAnswerIsLostIsNoDuplicate) {
  const std::string url = SharedPostgresServer().NewDatabase();
  LossyProxy proxy(SharedPostgresServer().port());
  auto store = OpenThrough(proxy, url);
  for (const char* id : {"a", "b"}) {  // of a new project, and of a known one
    proxy.LoseNextCommit();
    EXPECT_EQ(AppendOne(store.get(), Record(id)), AppendOutcome::kStored) << id;
    EXPECT_TRUE(proxy.has_lost_commit());
    EXPECT_EQ(AppendOne(store.get(), Record(id)), AppendOutcome::kDuplicate);
  }
  // Of the same record twice, one was stored.
  proxy.LoseNextCommit();
  EXPECT_EQ(store->Append("p", CheckedOf({Record("c"), Record("c")})).value(),
            (std::vector<AppendOutcome>{AppendOutcome::kStored,
                                        AppendOutcome::kDuplicate}));
  EXPECT_EQ(RunPostgresSql(url,
                           "SELECT sum(record_count) FROM "
                           "tokenusage.usage_rollup WHERE cell_seconds = 900"),
            "3");
  store.reset();
}

TEST(PostgresAppendTest, ADeletionWhoseAnswerIsLostIsReported) {
  const std::string url = SharedPostgresServer().NewDatabase();
  LossyProxy proxy(SharedPostgresServer().port());
  auto store = OpenThrough(proxy, url);
  AppendOne(store.get(), Record("a"));
  proxy.LoseNextCommit();
  const auto removal = store->maintenance()->DeleteProject("p", {});
  EXPECT_TRUE(proxy.has_lost_commit());
  ASSERT_THAT(removal, IsOk());
  EXPECT_EQ(removal->record_count, 1);
  EXPECT_EQ(store->maintenance()->Deletions().value().size(), 1u);
  EXPECT_THAT(store->maintenance()->DeleteProject("p", {}),
              StatusIs(absl::StatusCode::kNotFound));
  store.reset();
}

}  // namespace
}  // namespace tokenusage::testing
