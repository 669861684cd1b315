// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/schema.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage::testing {
namespace {

using ::testing::HasSubstr;

TEST(SqliteSchemaTest, AnyVersionIsReadAsItIsAndRefusedByName) {
  ASSERT_OK_AND_ASSIGN(const auto database,
                       SqliteDatabase::Open(":memory:", SQLITE_OPEN_READWRITE));
  ASSERT_THAT(CreateSqliteSchema(database.get()), IsOk());
  ASSERT_THAT(CheckSqliteSchema(database.get()), IsOk());
  for (const std::int64_t version : {-1LL, -2147483648LL, 2147483647LL}) {
    const std::string text = std::to_string(version);
    ASSERT_THAT(database->Execute("PRAGMA user_version=" + text), IsOk());
    EXPECT_THAT(CheckSqliteSchema(database.get()),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("has version " + text + ";")));
  }
}

TEST(SqliteDatabaseTest, QueryInt64TakesTheFirstColumnOfTheFirstRow) {
  ASSERT_OK_AND_ASSIGN(const auto database,
                       SqliteDatabase::Open(":memory:", SQLITE_OPEN_READWRITE));
  EXPECT_THAT(database->QueryInt64("SELECT -9223372036854775808, 7"),
              IsOkAndHolds(INT64_MIN));
  EXPECT_THAT(database->QueryInt64("SELECT 1 WHERE false"), IsOkAndHolds(0));
  // Out of range: SQLite's nearest number, and no exception.
  EXPECT_THAT(database->QueryInt64("SELECT 9223372036854775808"),
              IsOkAndHolds(INT64_MAX));
  EXPECT_THAT(database->QueryInt64("SELECT"),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace tokenusage::testing
