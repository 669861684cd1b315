// SPDX-License-Identifier: Apache-2.0

// Failures of a database, before and during its use: nothing that was
// acknowledged is lost, nothing is counted twice, and the store recovers
// without being reopened.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "libpq-fe.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/postgres/store.h"

namespace tokenusage::testing {
namespace {

constexpr char kNoon[] = "2026-08-01T12:00:00Z";

std::unique_ptr<PostgresServer> NewServer() {
  std::unique_ptr<PostgresServer> server = PostgresServer::Create();
  server->Start();
  return server;
}

std::unique_ptr<UsageStore> OpenAt(const std::string& url) {
  auto store = OpenPostgresStore(url);
  EXPECT_THAT(store, IsOk());
  return *std::move(store);
}

std::string IdOf(int thread, int batch, int record) {
  return "r-" + std::to_string(thread) + "-" + std::to_string(batch) + "-" +
         std::to_string(record);
}

absl::Status AppendOne(UsageStore* store, const std::string& id) {
  return store->Append("p", CheckedOf({RecordAt(id, kNoon, 1)})).status();
}

// Waits until appending works; fails the test after 20 seconds.
void ExpectRecovers(UsageStore* store, const std::string& id) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  absl::Status status;
  do {
    status = AppendOne(store, id);
    if (status.ok()) {
      EXPECT_THAT(store->CheckWritable(), IsOk());
      return;
    }
    absl::SleepFor(absl::Milliseconds(50));
  } while (absl::Now() < give_up);
  ADD_FAILURE() << "it did not recover: " << status;
}

void ExpectUnavailable(const absl::Status& status, const std::string& text) {
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find(text), absl::string_view::npos) << status;
}

// Returns "count total" of everything that is stored, from the rollups.
std::string TotalOf(UsageStore* store) {
  const auto rows = AllRowTexts(
      store, QueryOf("2000-01-01T00:00:00Z", "2200-01-01T00:00:00Z"));
  if (rows.empty()) return "";
  return rows[0].substr(rows[0].find(']') + 2);
}

// Threads that append batches and repeat each until it is answered, as
// reporters do.
class Load {
 public:
  static constexpr int kRecordsPerBatch = 20;

  Load(std::vector<UsageStore*> stores, int threads) {
    for (int i = 0; i < threads; ++i) {
      UsageStore* const store =
          stores[static_cast<std::size_t>(i) % stores.size()];
      threads_.emplace_back([this, store, i] { Run(store, i); });
    }
  }

  // Ends the load. Returns the number of records that were acknowledged, each
  // counted once.
  int Finish() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    std::cout << acknowledged_ << " records acknowledged, " << failures_
              << " calls failed, " << duplicates_ << " records answered as "
              << "duplicates" << std::endl;
    return acknowledged_;
  }

  int failures() const { return failures_; }
  int acknowledged() const { return acknowledged_; }

 private:
  void Run(UsageStore* store, int thread) {
    for (int batch = 0; !stop_; ++batch) {
      std::vector<v1::UsageRecord> records;
      for (int i = 0; i < kRecordsPerBatch; ++i) {
        // Some hundred cells, which all threads share.
        v1::UsageRecord record = RecordAt(IdOf(thread, batch, i), kNoon, 1);
        SetEventTime(Nanos(kNoon) + (batch * 7 + i * 13) % 90 * 900'000'000'000,
                     &record);
        record.set_model("m" + std::to_string((batch + i) % 3));
        records.push_back(std::move(record));
      }
      SendUntilAnswered(store, records);
    }
  }

  void SendUntilAnswered(UsageStore* store,
                         const std::vector<v1::UsageRecord>& records) {
    for (;;) {
      const AppendResult result = store->Append("p", CheckedOf(records));
      if (!result.ok()) {
        EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable)
            << result.status();
        ++failures_;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      for (const AppendOutcome& outcome : *result) {
        if (outcome == AppendOutcome::kDuplicate) ++duplicates_;
        EXPECT_TRUE(outcome == AppendOutcome::kStored ||
                    outcome == AppendOutcome::kDuplicate);
      }
      acknowledged_ += kRecordsPerBatch;
      return;
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> acknowledged_{0};
  std::atomic<int> failures_{0};
  std::atomic<int> duplicates_{0};
  std::vector<std::thread> threads_;
};

// Expects that `count` records exist, each once in the records and in the
// totals.
void ExpectExactly(UsageStore* store, const std::string& url, int count) {
  const std::string text = std::to_string(count);
  EXPECT_EQ(TotalOf(store), text + " " + text);
  EXPECT_EQ(RunPostgresSql(url, "SELECT count(*) FROM tokenusage.usage_record"),
            text);
  for (const char* seconds : {"900", "3600"}) {
    EXPECT_EQ(
        RunPostgresSql(url, std::string("SELECT sum(record_count) || ' ' || "
                                        "sum(total_tokens) FROM "
                                        "tokenusage.usage_rollup WHERE "
                                        "cell_seconds = ") +
                                seconds),
        text + " " + text);
  }
}

// Returns the number of repetitions of an act: TOKENUSAGE_FAULT_CYCLES, or 5.
int Cycles() {
  const char* cycles = std::getenv("TOKENUSAGE_FAULT_CYCLES");
  return cycles == nullptr ? 5 : std::atoi(cycles);
}

// Repeats `act` under load, each time after at least 200 more records were
// acknowledged. Expects that they all are stored once.
void RunUnderLoad(const std::vector<UsageStore*>& stores,
                  const std::string& url, const std::function<void()>& act) {
  std::mt19937_64 random(TestSeed());
  Load load(stores, 6);
  for (int i = 0; i < Cycles(); ++i) {
    const int before = load.acknowledged();
    const absl::Time give_up = absl::Now() + absl::Seconds(30);
    while (load.acknowledged() < before + 200 && absl::Now() < give_up) {
      absl::SleepFor(absl::Milliseconds(5));
    }
    ASSERT_GE(load.acknowledged(), before + 200) << "it did not recover";
    absl::SleepFor(
        absl::Milliseconds(static_cast<std::int64_t>(random() % 50)));
    act();
  }
  const int acknowledged = load.Finish();
  ExpectExactly(stores[0], url, acknowledged);
}

TEST(PostgresFailureTest, RestartsInMidBatch) {
  const auto server = NewServer();
  const std::string url = server->NewDatabase();
  const auto store = OpenAt(url);
  RunUnderLoad({store.get()}, url, [&] {
    server->Stop();
    server->Start();
  });
}

TEST(PostgresFailureTest, CrashesInMidBatch) {
  const auto server = NewServer();
  const std::string url = server->NewDatabase();
  const auto store = OpenAt(url);
  RunUnderLoad({store.get()}, url, [&] {
    server->Kill();
    server->Start();
  });
}

TEST(PostgresFailureTest, KilledBackends) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto store = OpenAt(url);
  const auto other = OpenAt(url);
  RunUnderLoad({store.get(), other.get()}, url, [&] {
    for (int i = 0; i < 10; ++i) {
      RunPostgresSql(url,
                     "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                     "WHERE datname = current_database() "
                     "AND pid <> pg_backend_pid()");
      absl::SleepFor(absl::Milliseconds(10));
    }
  });
}

TEST(PostgresFailureTest, SeveralProcessesRaceWithoutDeadlock) {
  const std::string url = SharedPostgresServer().NewDatabase();
  std::vector<std::unique_ptr<UsageStore>> stores;
  for (int i = 0; i < 3; ++i) stores.push_back(OpenAt(url));
  constexpr int kBatches = 60;
  constexpr int kRecords = 40;
  std::atomic<int> stored{0};
  std::atomic<int> duplicates{0};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 9; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(thread);
      for (int batch = 0; batch < kBatches; ++batch) {
        // All report the same records, each in a different order.
        std::vector<v1::UsageRecord> records;
        for (int i = 0; i < kRecords; ++i) {
          v1::UsageRecord record = RecordAt(IdOf(0, batch, i), kNoon, 1);
          record.set_model("m" + std::to_string(i % 20));
          records.push_back(std::move(record));
        }
        std::shuffle(records.begin(), records.end(), random);
        const AppendResult result =
            stores[thread % 3]->Append("p", CheckedOf(records));
        ASSERT_THAT(result, IsOk());
        for (const AppendOutcome& outcome : *result) {
          ++(outcome == AppendOutcome::kStored ? stored : duplicates);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, kBatches * kRecords);
  EXPECT_EQ(duplicates, 8 * kBatches * kRecords);
  ExpectExactly(stores[0].get(), url, kBatches * kRecords);
  EXPECT_EQ(RunPostgresSql(url,
                           "SELECT deadlocks FROM pg_stat_database "
                           "WHERE datname = current_database()"),
            "0");
}

TEST(PostgresFailureTest, SeveralProcessesShareTheLimitOfSeries) {
  const std::string url = SharedPostgresServer().NewDatabase();
  std::vector<std::unique_ptr<UsageStore>> stores;
  for (int i = 0; i < 2; ++i) stores.push_back(OpenAt(url));
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int batch = 0; batch < 6; ++batch) {
        std::vector<v1::UsageRecord> records;
        for (int i = 0; i < 500; ++i) {
          records.push_back(RecordAt(IdOf(thread, batch, i), kNoon, 1));
          records.back().set_model(records.back().record_id());
        }
        const AppendResult result =
            stores[static_cast<std::size_t>(thread % 2)]->Append(
                "p", CheckedOf(records));
        ASSERT_THAT(result, IsOk());
        for (const AppendOutcome& outcome : *result) {
          ++(outcome == AppendOutcome::kStored ? stored : refused);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, kMaxSeriesPerProject);
  EXPECT_EQ(refused, 4 * 6 * 500 - kMaxSeriesPerProject);
  EXPECT_EQ(RunPostgresSql(url, "SELECT count(*) FROM tokenusage.series"),
            std::to_string(kMaxSeriesPerProject));
}

using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;

Connection Connect(const std::string& url) {
  return Connection(PQconnectdb(url.c_str()), &PQfinish);
}

TEST(PostgresFailureTest, ExhaustedConnections) {
  const auto server = NewServer();
  const std::string url = server->NewDatabase();
  const auto store = OpenAt(url);
  RunPostgresSql(url, "CREATE ROLE guest LOGIN");
  RunPostgresSql(url, "GRANT USAGE ON SCHEMA tokenusage TO guest");
  RunPostgresSql(url, "GRANT ALL ON ALL TABLES IN SCHEMA tokenusage TO guest");
  // Superusers have reserved connections.
  std::string guest_url = url;
  guest_url.replace(guest_url.find("tokenusage@"), 10, "guest");
  const auto guest = OpenAt(guest_url);
  ASSERT_THAT(AppendOne(guest.get(), "first"), IsOk());
  RunPostgresSql(url,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE usename = 'guest'");
  std::vector<Connection> all;
  do {
    all.push_back(Connect(guest_url));
  } while (PQstatus(all.back().get()) == CONNECTION_OK);
  ExpectUnavailable(AppendOne(guest.get(), "second"), "remaining connection");
  const absl::Time start = absl::Now();
  ExpectUnavailable(
      guest->Query(QueryOf(kNoon, "2026-08-02T00:00:00Z")).status(),
      "remaining connection");
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  all.clear();
  ExpectRecovers(guest.get(), "second");
  EXPECT_EQ(TotalOf(guest.get()), "2 2");
}

TEST(PostgresFailureTest, StatementTimeout) {
  const std::string url = SharedPostgresServer().NewDatabase();
  RunPostgresSql(url,
                 "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || "
                 "current_database() || "
                 "' SET statement_timeout = ''200ms'''; END $$");
  const auto store = OpenAt(url);
  ASSERT_THAT(AppendOne(store.get(), "first"), IsOk());
  const Connection other = Connect(url);
  PQclear(PQexec(other.get(), "BEGIN; LOCK TABLE tokenusage.usage_record"));
  ExpectUnavailable(AppendOne(store.get(), "second"), "statement timeout");
  ExpectUnavailable(store->GetRecord("p", "first").status(),
                    "statement timeout");
  PQclear(PQexec(other.get(), "ROLLBACK"));
  ExpectRecovers(store.get(), "second");
  EXPECT_EQ(TotalOf(store.get()), "2 2");
}

TEST(PostgresFailureTest, ReadOnlyStandby) {
  if (IsCitus()) GTEST_SKIP() << "Citus has its own way to fail over";
  const auto primary = NewServer();
  const std::string url = primary->NewDatabase();
  ASSERT_THAT(AppendOne(OpenAt(url).get(), "first"), IsOk());
  const auto standby = primary->CreateStandby();
  standby->Start();
  const std::string standby_url = standby->Url(url.substr(url.rfind('/') + 1));
  const auto store = OpenAt(standby_url);
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (TotalOf(store.get()) != "1 1" && absl::Now() < give_up) {
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_EQ(TotalOf(store.get()), "1 1");
  ExpectUnavailable(AppendOne(store.get(), "second"), "read-only");
  EXPECT_THAT(store->CheckWritable(), ::testing::Not(IsOk()));
  primary->Stop();
  RunPostgresSql(standby_url, "SELECT pg_promote()");
  ExpectRecovers(store.get(), "second");
  EXPECT_EQ(TotalOf(store.get()), "2 2");
}

// Replaces the rules of who may log in, and how.
void SetHba(const PostgresServer& server, const std::string& lines) {
  std::ofstream(server.folder() + "/data/pg_hba.conf", std::ios::trunc)
      << lines;
}

TEST(PostgresFailureTest, Passwords) {
  const auto server = NewServer();
  const std::string url = server->NewDatabase();
  RunPostgresSql(url, "CREATE ROLE usage LOGIN SUPERUSER PASSWORD 'right'");
  SetHba(*server,
         "local all tokenusage trust\n"
         "host all tokenusage 127.0.0.1/32 trust\n"
         "host all all 127.0.0.1/32 scram-sha-256\n");
  RunPostgresSql(url, "SELECT pg_reload_conf()");
  const std::string place = url.substr(url.find('@'));
  const auto wrong = OpenPostgresStore("postgresql://usage:WRONG-1" + place);
  ExpectUnavailable(wrong.status(), "password authentication failed");
  EXPECT_EQ(wrong.status().message().find("WRONG-1"), absl::string_view::npos);

  const std::string file = ::testing::TempDir() + "pgpass";
  std::ofstream(file) << "127.0.0.1:*:*:usage:right\n";
  ASSERT_EQ(std::system(("chmod 600 " + file).c_str()), 0);
  setenv("PGPASSFILE", file.c_str(), 1);
  const auto store = OpenAt("postgresql://usage" + place);
  ASSERT_THAT(AppendOne(store.get(), "first"), IsOk());

  // The password changes, and open connections are closed.
  RunPostgresSql(url, "ALTER ROLE usage PASSWORD 'new'");
  RunPostgresSql(url,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE usename = 'usage'");
  ExpectUnavailable(AppendOne(store.get(), "second"),
                    "password authentication failed");
  std::ofstream(file, std::ios::trunc) << "127.0.0.1:*:*:usage:new\n";
  ExpectRecovers(store.get(), "second");
  EXPECT_EQ(TotalOf(store.get()), "2 2");
  unsetenv("PGPASSFILE");
}

TEST(PostgresFailureTest, TlsIsVerified) {
  const auto server = NewServer();
  const std::string url = server->NewDatabase();
  const std::string data = server->folder() + "/data";
  const std::string make =
      "cd " + server->folder() +
      " && cp -p data/PG_VERSION data/server.key && "
      "cp -p data/PG_VERSION data/server.crt && openssl req -x509 -newkey "
      "rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=IP:127.0.0.1 -keyout key -out crt 2>/dev/null && "
      "cat key > data/server.key && cat crt > data/server.crt && "
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other "
      "-keyout key2 -out other.crt 2>/dev/null && chmod 600 data/server.key";
  ASSERT_EQ(std::system(make.c_str()), 0);
  RunPostgresSql(url, "ALTER SYSTEM SET ssl = on");
  server->Stop();
  server->Start();
  const std::string verified = url + "?sslmode=verify-full&sslrootcert=";
  const auto wrong =
      OpenPostgresStore(verified + server->folder() + "/other.crt");
  ExpectUnavailable(wrong.status(), "certificate verify failed");
  const auto store = OpenAt(verified + data + "/server.crt");
  ASSERT_THAT(AppendOne(store.get(), "first"), IsOk());
  EXPECT_EQ(RunPostgresSql(url,
                           "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN "
                           "pg_stat_activity USING (pid) WHERE "
                           "application_name = 'tokenusage'"),
            "t");

  // The server loses its TLS: nothing is sent to it in plain text.
  RunPostgresSql(url, "ALTER SYSTEM SET ssl = off");
  server->Stop();
  server->Start();
  ExpectUnavailable(AppendOne(store.get(), "second"), "does not support SSL");
  RunPostgresSql(url, "ALTER SYSTEM SET ssl = on");
  server->Stop();
  server->Start();
  ExpectRecovers(store.get(), "second");
  EXPECT_EQ(TotalOf(store.get()), "2 2");
}

// A file system of 24 MiB; needs the right to mount.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    mounted_ = std::system(("mkdir -p " + path_ +
                            " && mount -t tmpfs -o "
                            "size=24m,mode=777 tmpfs " +
                            path_ + " 2>/dev/null")
                               .c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_ && std::system(("umount -l " + path_).c_str()) != 0) {
      std::cerr << "cannot unmount " << path_ << std::endl;
    }
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(PostgresFailureTest, FullDisk) {
  const auto server = NewServer();
  const std::string folder = server->folder() + "/small";
  const SmallDisk disk(folder);
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small disk";
  const std::string admin = server->Url("postgres");
  ASSERT_EQ(std::system(("mkdir " + folder + "/space && chown --reference=" +
                         server->folder() + "/data " + folder + "/space")
                            .c_str()),
            0);
  RunPostgresSql(admin,
                 "CREATE TABLESPACE small LOCATION '" + folder + "/space'");
  RunPostgresSql(admin, "CREATE DATABASE small TABLESPACE small");
  const std::string url = server->Url("small");
  ASSERT_THAT(MigratePostgresDatabase(url, false), IsOk());
  const auto store = OpenAt(url);
  ASSERT_THAT(AppendOne(store.get(), "first"), IsOk());
  const std::string filler = folder + "/filler";
  ASSERT_NE(std::system(("cat /dev/zero > " + filler + " 2>/dev/null").c_str()),
            0);
  EXPECT_THAT(store->CheckWritable(), ::testing::Not(IsOk()));
  int stored = 1;
  absl::Status status;
  for (; status.ok() && stored < 5000; ++stored) {
    status = AppendOne(store.get(), IdOf(0, stored, 0));
  }
  --stored;  // the last was refused
  ExpectUnavailable(status, "No space left");
  EXPECT_EQ(TotalOf(store.get()),
            std::to_string(stored) + " " + std::to_string(stored));
  ASSERT_EQ(std::remove(filler.c_str()), 0);
  ExpectRecovers(store.get(), "last");
  ExpectExactly(store.get(), url, stored + 1);
}

}  // namespace
}  // namespace tokenusage::testing
