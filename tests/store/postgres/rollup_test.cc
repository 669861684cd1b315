// SPDX-License-Identifier: Apache-2.0

// The columns of measures, and the marks of records that contradict themselves.

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/table/schema.h"

namespace tokenusage::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kNoon[] = "2026-08-01T12:00:00Z";

v1::UsageRecord Costing(const std::string& id, double dollars) {
  v1::UsageRecord record = ValidRecord(id, Nanos(kNoon));
  record.mutable_token_usage()->set_cost_usd(dollars);
  return record;
}

// Returns a record that states more cached input than input.
v1::UsageRecord Contradicting(const std::string& id) {
  v1::UsageRecord record = ValidRecord(id, Nanos(kNoon));
  record.mutable_token_usage()->set_input_tokens(1);
  record.mutable_token_usage()->set_cache_read_tokens(2);
  return record;
}

class PostgresRollupTest : public ::testing::Test {
 protected:
  void Append(const std::vector<v1::UsageRecord>& records) {
    ASSERT_THAT(store_->Append("p", CheckedOf(records)), IsOk());
  }

  std::string Sql(const std::string& sql) { return RunPostgresSql(url_, sql); }

  absl::StatusOr<UsageQueryPage> Day() {
    return store_->Query(
        QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z"));
  }

  std::string SumOfDay() {
    const auto page = Day();
    return page.ok() ? SumText(page->rows.at(0).sum) : page.status().ToString();
  }

  const std::string url_ = SharedPostgresServer().NewDatabase();
  std::unique_ptr<UsageStore> store_ = OpenPostgresStore(url_).value();
};

TEST_F(PostgresRollupTest, HasTwoColumnsForEachMeasure) {
  Append({Costing("a", 0.000000000001), Costing("b", 2), Contradicting("c")});
  EXPECT_EQ(Sql("SELECT cost_usd || ' of ' || cost_usd_records FROM "
                "tokenusage.usage_rollup WHERE cell_seconds = 900"),
            "2.000000000001 of 2");
  EXPECT_EQ(Sql("SELECT num_nonnulls(images, images_records) FROM "
                "tokenusage.usage_rollup WHERE cell_seconds = 900"),
            "0");
  EXPECT_EQ(SumOfDay(),
            "3 records, 1 inconsistent, 0 unknown; input_tokens 1 of 1, "
            "cache_read_tokens 2 of 1, cost_usd 2.000000000001 of 2");
}

// The database orders rows by operation before model: the first row of a page
// may be the last one that the database returns.
TEST_F(PostgresRollupTest, APageHasTheFirstRowsOfManySeries) {
  constexpr int kSeries = 6000;
  std::vector<v1::UsageRecord> records;
  for (const char* day : {"2026-08-01T12:00:00Z", "2026-08-02T12:00:00Z"}) {
    for (int i = 0; i < kSeries; ++i) {
      records.push_back(
          ValidRecord("id-" + std::to_string(records.size()), Nanos(day)));
      records.back().set_operation(std::to_string(10'000 + i));
      records.back().set_model(std::to_string(20'000 - i));
    }
  }
  Append(records);
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_DAY);
  query.group_by = {{UsageField::Kind::kModel, ""},
                    {UsageField::Kind::kOperation, ""}};
  query.page_size = 1;
  query.after = RowPosition{Nanos("2026-08-01T00:00:00Z"),
                            EncodeGroupKey({"20000", "10000"})};
  const auto page = store_->Query(query);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->rows.at(0).key, (GroupKey{std::to_string(20'001 - kSeries),
                                            std::to_string(9'999 + kSeries)}));
}

TEST_F(PostgresRollupTest, AMigrationAddsTheColumnsOfNewMeasures) {
  Append({Contradicting("a")});
  store_.reset();
  // The database as it was before the program knew the last two measures.
  for (const std::string table : {"usage_rollup", "usage_label_rollup"}) {
    Sql("ALTER TABLE tokenusage." + table +
        " DROP COLUMN cost_usd, DROP COLUMN cost_usd_records, "
        "DROP COLUMN tool_calls, DROP COLUMN tool_calls_records");
  }
  Sql("UPDATE tokenusage.property SET value = value::int - 2 "
      "WHERE name = 'schema_version'");
  EXPECT_THAT(OpenPostgresStore(url_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("run `tokenusage db migrate`")));
  const std::string file =
      Sql("SELECT pg_relation_filenode('tokenusage.usage_rollup')");
  const auto migration = MigratePostgresDatabase(url_, /*distribute=*/false);
  ASSERT_THAT(migration, IsOk());
  EXPECT_EQ(migration->from_version, kPostgresSchemaVersion - 2);
  // The table was not rewritten.
  EXPECT_EQ(Sql("SELECT pg_relation_filenode('tokenusage.usage_rollup')"),
            file);
  store_ = OpenPostgresStore(url_).value();
  Append({Costing("b", 0.5)});
  EXPECT_EQ(SumOfDay(),
            "2 records, 1 inconsistent, 0 unknown; input_tokens 1 of 1, "
            "cache_read_tokens 2 of 1, cost_usd 0.5 of 1");
  EXPECT_EQ(store_->maintenance()->Check(CheckOptions())->problem_count, 0);
}

TEST_F(PostgresRollupTest, AServiceRunsOnWhenNewerMeasuresGetColumns) {
  Append({Costing("a", 1)});
  ASSERT_THAT(Day(), IsOk());
  Sql("ALTER TABLE tokenusage.usage_rollup ADD COLUMN coins numeric, "
      "ADD COLUMN coins_records bigint");
  Append({Costing("b", 2)});
  EXPECT_EQ(SumOfDay(),
            "2 records, 0 inconsistent, 0 unknown; cost_usd 3 of 2");
}

TEST_F(PostgresRollupTest, RefusesARollupThatIsNone) {
  Append({Contradicting("a")});
  for (const char* const damage :
       {"input_tokens = NULL", "input_tokens_records = NULL",
        "input_tokens_records = 0", "input_tokens = -1", "input_tokens = 'NaN'",
        "input_tokens = 1e30", "input_tokens = 0.0000000000001",
        "record_count = 0", "inconsistent_record_count = -1",
        "inconsistent_record_count = 2", "unknown_usage_record_count = 2",
        "images_records = 1"}) {
    Sql(std::string("UPDATE tokenusage.usage_rollup SET ") + damage);
    EXPECT_THAT(Day(), StatusIs(absl::StatusCode::kDataLoss,
                                HasSubstr("a rollup cannot be read")))
        << damage;
    ASSERT_THAT(store_->maintenance()->RebuildRollups(CallLimits()), IsOk());
    EXPECT_THAT(SumOfDay(), StartsWith("1 records, 1 inconsistent")) << damage;
  }
}

TEST_F(PostgresRollupTest, ChecksAndRebuildsTheMarksOfRecords) {
  Append({Contradicting("a"), Costing("b", 1), Contradicting("c")});
  Sql("UPDATE tokenusage.usage_record SET inconsistent = NOT inconsistent "
      "WHERE record_id < 'c'");
  const auto report = store_->maintenance()->Check(CheckOptions());
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->problem_count, 2);
  EXPECT_EQ(report->problems[0].detail,
            "record a: it contradicts itself, but is not marked");
  EXPECT_EQ(report->problems[1].detail,
            "record b: it is marked as contradicting itself, but does not");
  ASSERT_THAT(store_->maintenance()->RebuildRollups(CallLimits()), IsOk());
  EXPECT_EQ(store_->maintenance()->Check(CheckOptions())->problem_count, 0);
  RecordQuery query =
      RecordQueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  query.inconsistent_only = true;
  EXPECT_EQ(AllIds(store_.get(), query), (std::vector<std::string>{"a", "c"}));
}

TEST_F(PostgresRollupTest, ChecksThatCorrectedRecordsAreThere) {
  std::vector<v1::UsageRecord> records;
  for (const std::string id : {"a", "b", "c"}) {
    records.push_back(Costing(id, 1));
    records.push_back(Costing(id + "2", 2));
    records.back().set_corrects(id);
  }
  Append(records);
  EXPECT_EQ(store_->maintenance()->Check(CheckOptions())->problem_count, 0);
  Sql("DELETE FROM tokenusage.usage_record WHERE record_id = 'a'");
  Sql("UPDATE tokenusage.correction SET event_time = event_time + 1 "
      "WHERE record_id = 'b'");
  const auto report = store_->maintenance()->Check(CheckOptions());
  ASSERT_THAT(report, IsOk());
  std::vector<std::string> details;
  for (const CheckProblem& problem : report->problems) {
    details.push_back(problem.detail);
  }
  EXPECT_THAT(details,
              ::testing::IsSupersetOf(
                  {"record a: what corrects it is stored, but it is not, or at "
                   "another time",
                   "record b: what corrects it is stored, but it is not, or at "
                   "another time"}));
}

}  // namespace
}  // namespace tokenusage::testing
