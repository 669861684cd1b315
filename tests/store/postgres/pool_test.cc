// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/pool.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/postgres/connection/target.h"

namespace tokenusage::testing {
namespace {

using ::testing::Not;

// Returns SQL whose first run fails with an SQLSTATE. A sequence keeps its
// value when the transaction is rolled back.
std::string FailsOnce(const std::string& state) {
  return "DO $$ BEGIN IF nextval('runs') = 1 THEN RAISE EXCEPTION USING "
         "ERRCODE = '" +
         state + "'; END IF; END $$";
}

TEST(PostgresPoolTest, RetriesWhatMayPass) {
  const std::string url = SharedPostgresServer().NewEmptyDatabase();
  const auto target = PostgresTarget::Parse(url);
  ASSERT_THAT(target, IsOk());
  PostgresPool pool(*target, 1);
  // XX000 is what Citus answers while one of its workers restarts.
  for (const char* const state :
       {"40001", "40P01", "08006", "57P01", "53300", "25006", "XX000"}) {
    RunPostgresSql(url, "DROP SEQUENCE IF EXISTS runs");
    RunPostgresSql(url, "CREATE SEQUENCE runs");
    EXPECT_THAT(
        pool.Run({},
                 [&](PostgresConnection* connection) {
                   return connection->Execute(FailsOnce(state)).status();
                 }),
        IsOk())
        << state;
    EXPECT_EQ(RunPostgresSql(url, "SELECT last_value FROM runs"), "2") << state;
  }
}

TEST(PostgresPoolTest, DoesNotRetryWhatWouldHappenAgain) {
  const std::string url = SharedPostgresServer().NewEmptyDatabase();
  const auto target = PostgresTarget::Parse(url);
  ASSERT_THAT(target, IsOk());
  PostgresPool pool(*target, 1);
  RunPostgresSql(url, "CREATE SEQUENCE runs");
  EXPECT_THAT(
      pool.Run({},
               [&](PostgresConnection* connection) {
                 return connection->Execute(FailsOnce("23505")).status();
               }),
      Not(IsOk()));
  EXPECT_EQ(RunPostgresSql(url, "SELECT last_value FROM runs"), "1");
}

}  // namespace
}  // namespace tokenusage::testing
