// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/rollups.h"

#include <cstdint>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/sqlite/table/schema.h"

namespace tokenusage::testing {
namespace {

using ::testing::HasSubstr;

class SumWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        database_, SqliteDatabase::Open(":memory:", SQLITE_OPEN_READWRITE));
    ASSERT_THAT(CreateSqliteSchema(database_.get()), IsOk());
  }

  // Adds one record to the sum of a series.
  absl::Status Add(SqliteSumWriter* writer, std::int64_t series_id) {
    UsageSum change;
    change.record_count = 1;
    return writer->Add({{{0, 0, 0, series_id}, change}}, database_.get());
  }

  // Changes a sum as another process would.
  void Change(std::int64_t series_id) {
    ASSERT_THAT(database_->Execute("UPDATE rollup_quarter SET record_count=10 "
                                   "WHERE series_id=" +
                                   std::to_string(series_id)),
                IsOk());
  }

  std::unique_ptr<SqliteDatabase> database_;
};

TEST_F(SumWriterTest, ForgetsTheSumThatWasUsedLeastRecently) {
  SqliteSumWriter writer(kQuarterHourTable, /*max_remembered=*/2);
  for (const std::int64_t series_id : {1, 2, 1, 3}) {
    ASSERT_THAT(Add(&writer, series_id), IsOk());
  }
  Change(1);
  EXPECT_THAT(Add(&writer, 1),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("changed by something else")));
  Change(2);
  EXPECT_THAT(Add(&writer, 2), IsOk());
  EXPECT_THAT(database_->QueryInt64("SELECT record_count FROM rollup_quarter "
                                    "WHERE series_id=2"),
              IsOkAndHolds(11));
}

TEST_F(SumWriterTest, MayRememberNothing) {
  SqliteSumWriter writer(kQuarterHourTable, /*max_remembered=*/0);
  ASSERT_THAT(Add(&writer, 1), IsOk());
  Change(1);
  EXPECT_THAT(Add(&writer, 1), IsOk());
}

}  // namespace
}  // namespace tokenusage::testing
