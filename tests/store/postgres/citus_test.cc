// SPDX-License-Identifier: Apache-2.0

// Tests that apply only to a cluster of Citus. Skips without one: see
// postgres_server.sh.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
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

using ::testing::HasSubstr;
using ::testing::Not;

class CitusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!IsCitus()) GTEST_SKIP() << "TOKENUSAGE_CITUS_WORKERS is not set";
    url_ = SharedPostgresServer().NewDatabase();
  }

  absl::Status Append(UsageStore* store, const std::string& project,
                      const std::string& id) {
    return store
        ->Append(project, CheckedOf({RecordAt(id, "2026-08-01T12:00:00Z", 1)}))
        .status();
  }

  // Runs an action of postgres_server.sh, such as "kill", on a worker of the
  // shared server.
  static void Worker(const std::string& what, int number) {
    ASSERT_EQ(std::system(("TOKENUSAGE_CITUS_WORKERS=0 "
                           "tests/store/postgres/postgres_server.sh " +
                           what + " " + SharedPostgresServer().folder() +
                           "/worker" + std::to_string(number))
                              .c_str()),
              0);
  }

  // Returns the port of the worker that has a project.
  std::string PortOf(const std::string& project) const {
    return RunPostgresSql(
        url_,
        "SELECT nodeport FROM citus_shards WHERE shardid = "
        "get_shard_id_for_distribution_column('tokenusage.project', '" +
            project + "')");
  }

  std::string url_;
};

// Returns the lines of a statement's plan, with some value for each parameter.
std::string PlanOf(const std::string& url, const PostgresStatement& statement) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
      PQconnectdb(url.c_str()), &PQfinish);
  const auto run = [&](const std::string& sql) {
    return std::unique_ptr<PGresult, void (*)(PGresult*)>(
        PQexec(connection.get(), sql.c_str()), &PQclear);
  };
  run(std::string("PREPARE s AS ") + statement.sql);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> described(
      PQdescribePrepared(connection.get(), "s"), &PQclear);
  std::string values;
  for (int i = 0; i < PQnparams(described.get()); ++i) {
    const Oid type = PQparamtype(described.get(), i);
    const std::string name =
        RunPostgresSql(url, "SELECT " + std::to_string(type) + "::regtype");
    const bool is_array = name.find("[]") != std::string::npos;
    values += i == 0 ? "'p'" : is_array ? ", '{}'" : ", '1'";
  }
  const auto plan = run("EXPLAIN (COSTS OFF) EXECUTE s" +
                        (values.empty() ? "" : "(" + values + ")"));
  std::string text = PQresultErrorMessage(plan.get());
  for (int row = 0; row < PQntuples(plan.get()); ++row) {
    text += std::string(PQgetvalue(plan.get(), row, 0)) + "\n";
  }
  return text;
}

TEST_F(CitusTest, EveryStatementOfAProjectIsOneTaskOnOneNode) {
  // Statements that are not of one project.
  const std::set<std::string> exempt = {
      "begin",           "commit",          "begin_snapshot", "select_projects",
      "select_bookmark", "set_bookmark",    "share_labels",   "lock_labels",
      "select_labels",   "select_deletions"};
  std::size_t plans = 0;
  for (const PostgresStatement& statement : postgres_sql::AllStatements()) {
    if (exempt.count(statement.name) != 0) continue;
    const std::string plan = PlanOf(url_, statement);
    EXPECT_THAT(plan, HasSubstr("Task Count: 1\n")) << statement.name;
    EXPECT_THAT(plan, Not(HasSubstr("pull to coordinator"))) << statement.name;
    ++plans;
  }
  EXPECT_EQ(plans + exempt.size(), postgres_sql::AllStatements().size());
}

TEST_F(CitusTest, AppendsCommitInOnePhase) {
  const auto store = OpenPostgresStore(url_).value();
  const auto prepared = [] {
    int lines = 0;
    for (const int worker : {1, 2}) {
      const std::string command = "grep -c 'PREPARE TRANSACTION' " +
                                  SharedPostgresServer().folder() + "/worker" +
                                  std::to_string(worker) + "/server.log";
      FILE* const pipe = popen(command.c_str(), "r");
      int count = 0;
      EXPECT_EQ(fscanf(pipe, "%d", &count), 1);
      pclose(pipe);
      lines += count;
    }
    return lines;
  };
  RunPostgresSql(url_,
                 "SELECT run_command_on_workers('ALTER SYSTEM SET "
                 "log_statement = ''all''')");
  RunPostgresSql(url_,
                 "SELECT run_command_on_workers('SELECT pg_reload_conf()')");
  absl::SleepFor(absl::Milliseconds(300));
  const int before = prepared();
  for (int i = 0; i < 20; ++i) {
    const std::string project = "p" + std::to_string(i % 5);
    ASSERT_THAT(Append(store.get(), project, std::to_string(i)), IsOk());
  }
  EXPECT_EQ(prepared(), before);
  RunPostgresSql(url_,
                 "SELECT run_command_on_workers('ALTER SYSTEM RESET "
                 "log_statement')");
  RunPostgresSql(url_,
                 "SELECT run_command_on_workers('SELECT pg_reload_conf()')");
}

TEST_F(CitusTest, WorkersMustBeDurable) {
  RunPostgresSql(url_, "CREATE ROLE careless LOGIN SUPERUSER");
  RunPostgresSql(url_, "ALTER ROLE careless SET synchronous_commit = off");
  std::string url = url_;
  url.replace(url.find("tokenusage@"), 10, "careless");
  EXPECT_THAT(OpenPostgresStore(url),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("run ALTER ROLE careless SET "
                                 "synchronous_commit = on")));
  RunPostgresSql(url_, "ALTER ROLE careless SET synchronous_commit = on");
  EXPECT_THAT(OpenPostgresStore(url), IsOk());
  RunPostgresSql(url_, "DROP ROLE careless");
}

TEST_F(CitusTest, AWorkerIsNotMigrated) {
  std::string url = url_;
  const std::string port = std::to_string(SharedPostgresServer().port());
  url.replace(url.find(port), port.size(), PortOf("p"));
  EXPECT_THAT(MigratePostgresDatabase(url, /*distribute=*/true),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("run this on the coordinator")));
  // A store on it works, though.
  const auto store = OpenPostgresStore(url).value();
  EXPECT_THAT(Append(store.get(), "p", "a"), IsOk());
}

TEST_F(CitusTest, OneWorkerThatIsDownFailsItsProjectsOnly) {
  const auto store = OpenPostgresStore(url_).value();
  // Two projects on different workers.
  const std::string down = "p0";
  std::string up = "p1";
  for (int i = 2; PortOf(up) == PortOf(down); ++i) up = "p" + std::to_string(i);
  ASSERT_THAT(Append(store.get(), down, "a"), IsOk());
  ASSERT_THAT(Append(store.get(), up, "a"), IsOk());
  const std::string folder = SharedPostgresServer().folder();
  const bool first = std::system(("grep -q '^port = " + PortOf(down) + "' " +
                                  folder + "/worker1/data/postgresql.conf")
                                     .c_str()) == 0;
  const int worker = first ? 1 : 2;
  Worker("kill", worker);
  EXPECT_THAT(Append(store.get(), down, "b"),
              StatusIs(absl::StatusCode::kUnavailable));
  // Health does not flap, whichever worker the probe's own row would be on.
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(store->CheckWritable(), Not(IsOk()));
    EXPECT_THAT(Append(store.get(), up, "b" + std::to_string(i)), IsOk());
  }
  // An append to the worker that is down fails soon: its retries do not hold up
  // the other worker's appends.
  const absl::Time start = absl::Now();
  EXPECT_THAT(Append(store.get(), down, "c"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  Worker("start", worker);
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!store->CheckWritable().ok() && absl::Now() < give_up) {
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_THAT(store->CheckWritable(), IsOk());
  EXPECT_THAT(Append(store.get(), down, "b"), IsOk());
}

}  // namespace
}  // namespace tokenusage::testing
