// SPDX-License-Identifier: Apache-2.0

// Rollups by label.

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage::testing {
namespace {

using Texts = std::vector<std::string>;

constexpr char kHorizon[] = "2026-08-15T10:00:00Z";

v1::UsageRecord LabelledAt(std::string_view id, std::string_view time,
                           double tokens, const char* customer,
                           const char* team = nullptr) {
  v1::UsageRecord record = RecordAt(id, time, tokens);
  if (customer != nullptr) (*record.mutable_labels())["customer"] = customer;
  if (team != nullptr) (*record.mutable_labels())["team"] = team;
  (*record.mutable_labels())["request"] = std::string(id);
  return record;
}

// Returns records of 2^n tokens each, so that every set of records has a
// different sum.
std::vector<v1::UsageRecord> LabelledRecords() {
  return {LabelledAt("a", "2026-07-31T23:59:59Z", 1, "acme", "x"),
          LabelledAt("b", "2026-08-01T00:00:00Z", 2, "acme", "y"),
          LabelledAt("c", "2026-08-15T09:59:59Z", 4, "bolt", "x"),
          LabelledAt("d", "2026-08-15T10:00:00Z", 8, "acme", "x"),
          LabelledAt("e", "2026-08-20T12:34:56Z", 16, "", "x"),
          LabelledAt("f", "2026-08-31T23:59:59Z", 32, nullptr, "x"),
          LabelledAt("g", "2026-09-01T00:00:00Z", 64, "bolt"),
          LabelledAt("h", "2026-08-20T12:35:00Z", 128, nullptr)};
}

UsageQuery August(v1::TimeBucket bucket = v1::TIME_BUCKET_NONE,
                  const std::string& zone = "UTC") {
  UsageQuery query =
      QueryOf("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", bucket, zone);
  query.group_by = {LabelField("customer")};
  return query;
}

// Returns the rows without their windows.
Texts Groups(UsageStore* store, const UsageQuery& query) {
  Texts rows = AllRowTexts(store, query);
  for (std::string& row : rows) row = row.substr(row.find('['));
  return rows;
}

const Texts kAugust = {"[-] 2 160", "[''] 1 16", "['acme'] 2 10",
                       "['bolt'] 1 4"};

TEST_P(UsageStoreContract, TotalsByRollupLabelsOutliveTheirRecords) {
  OpenWithLabels("customer,team");
  Append(LabelledRecords());
  UsageQuery by_day = August(v1::TIME_BUCKET_DAY, "Asia/Kolkata");
  UsageQuery filtered = August();
  filtered.group_by = {LabelField("team"), {UsageField::Kind::kModel, ""}};
  filtered.filters = {{LabelField("customer"), {"acme", "none"}, true}};
  UsageQuery window = August();
  window.window.start_nanos -= 900'000'000'000;
  window.window.end_nanos += 900'000'000'000;
  std::vector<Texts> before;
  for (const UsageQuery& query : {August(), by_day, filtered, window}) {
    before.push_back(Rows(query));
  }
  EXPECT_EQ(Groups(&store(), August()), kAugust);
  ASSERT_THAT(maintenance().RemoveRecordsBefore("p", Time(kHorizon), {}),
              IsOk());
  std::vector<Texts> after;
  for (const UsageQuery& query : {August(), by_day, filtered, window}) {
    after.push_back(Rows(query));
  }
  EXPECT_EQ(after, before);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  ASSERT_THAT(maintenance().RebuildRollups({}), IsOk());
  EXPECT_EQ(Groups(&store(), August()), kAugust);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, OtherLabelsAndMinutesEndAtTheHorizon) {
  OpenWithLabels("customer");
  Append(LabelledRecords());
  ASSERT_THAT(maintenance().RemoveRecordsBefore("p", Time(kHorizon), {}),
              IsOk());
  EXPECT_THAT(store().Query(August()), IsOk());
  UsageQuery other = August();
  other.group_by.push_back(LabelField("team"));
  UsageQuery filtered = August();
  filtered.filters = {{LabelField("team"), {"x"}, false}};
  UsageQuery edge = August();
  edge.window.start_nanos += 1;
  for (const UsageQuery& query :
       {other, filtered, edge, August(v1::TIME_BUCKET_MINUTE)}) {
    const absl::Status status = store().Query(query).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(HorizonOf(status).horizon, kHorizon);
    EXPECT_NE(status.message().find("no other labels than customer"),
              absl::string_view::npos)
        << status;
  }
}

TEST_P(UsageStoreContract, TotalsByLabelFollowCorrections) {
  OpenWithLabels("customer");
  Append(LabelledRecords());
  const UsageQuery query = August();
  v1::UsageRecord moved = LabelledAt("d2", "2026-08-16T00:00:00Z", 8, "core");
  moved.set_corrects("d");
  v1::UsageRecord taken_back = LabelledAt("c2", kHorizon, 0, "bolt");
  taken_back.set_corrects("c");
  taken_back.clear_usage();
  v1::UsageRecord later = LabelledAt("i", kHorizon, 256, "core");
  v1::UsageRecord again = later;
  again.set_record_id("i2");
  again.set_corrects("i");
  EXPECT_EQ(Append({moved, taken_back, later, again}),
            std::vector<AppendOutcome>(4, AppendOutcome::kStored));
  const Texts expected = {"[-] 2 160", "[''] 1 16", "['acme'] 1 2",
                          "['core'] 2 264"};
  EXPECT_EQ(Groups(&store(), query), expected);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  ASSERT_THAT(maintenance().RemoveRecordsBefore("p", Time(kHorizon), {}),
              IsOk());
  EXPECT_EQ(Groups(&store(), query), expected);
  ASSERT_THAT(maintenance().RebuildRollups({}), IsOk());
  EXPECT_EQ(Groups(&store(), query), expected);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, LabelsCanChangeUntilTheyHaveHistory) {
  OpenWithLabels("");
  Append(LabelledRecords());
  ASSERT_THAT(maintenance().RemoveRecordsBefore("p", Time(kHorizon), {}),
              IsOk());
  ASSERT_THAT(maintenance().SetRollupLabels({"customer", "team"}, {}), IsOk());
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  // Records that were removed earlier were not counted by label.
  EXPECT_EQ(store().Query(August()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  UsageQuery rest = August();
  rest.window.start_nanos = Nanos(kHorizon);
  const Texts expected = {"[-] 2 160", "[''] 1 16", "['acme'] 1 8"};
  EXPECT_EQ(Groups(&store(), rest), expected);
  ASSERT_THAT(maintenance().SetRollupLabels({"customer"}, {}), IsOk());
  EXPECT_EQ(Groups(&store(), rest), expected);
  // Once records that were counted by label are removed, labels can no longer
  // change.
  const char kLater[] = "2026-08-25T00:00:00Z";
  ASSERT_THAT(maintenance().RemoveRecordsBefore("p", Time(kLater), {}), IsOk());
  EXPECT_EQ(Groups(&store(), rest), expected);
  // A query that starts too early learns from when it would be answered.
  EXPECT_EQ(HorizonOf(store().Query(August()).status()).horizon, kHorizon);
  const absl::Status status =
      maintenance().SetRollupLabels({"team"}, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("project p"), absl::string_view::npos)
      << status;
  EXPECT_EQ(Groups(&store(), rest), expected);
  EXPECT_EQ(Append({LabelledAt("i", kLater, 1, "acme")}),
            std::vector<AppendOutcome>{AppendOutcome::kStored});
  EXPECT_EQ(Groups(&store(), rest),
            (Texts{"[-] 2 160", "[''] 1 16", "['acme'] 2 9"}));
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, NewLabelsNeedNotBeThoseOfRecordsThatDoNotCount) {
  OpenWithLabels("customer");
  v1::UsageRecord taken_back = LabelledAt("b", kHorizon, 0, "core", "z");
  taken_back.set_corrects("a");
  taken_back.clear_usage();
  Append({LabelledAt("a", kHorizon, 1, "acme", "x"), taken_back,
          LabelledAt("c", kHorizon, 2, "bolt", "y")});
  ASSERT_THAT(maintenance().SetRollupLabels({"team"}, {}), IsOk());
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, ADeletedProjectTakesItsLabelsAlong) {
  OpenWithLabels("customer");
  Append(LabelledRecords());
  ASSERT_THAT(store().Append("q", CheckedOf(LabelledRecords())), IsOk());
  ASSERT_THAT(maintenance().DeleteProject("p", {}), IsOk());
  EXPECT_EQ(Groups(&store(), August()), Texts());
  Append({LabelledAt("z", kHorizon, 1, "zoo")});
  EXPECT_EQ(Groups(&store(), August()), Texts{"['zoo'] 1 1"});
  UsageQuery other = August();
  other.projects = {"q"};
  EXPECT_EQ(Groups(&store(), other), kAugust);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, LabelSetsCountAgainstTheLimitOfSeries) {
  Open({RollupLabels{"customer"}, 4});
  // One series and three label sets.
  EXPECT_EQ(Append({LabelledAt("a", kHorizon, 1, "a"),
                    LabelledAt("b", kHorizon, 2, "b"),
                    LabelledAt("c", kHorizon, 4, nullptr),
                    LabelledAt("d", kHorizon, 8, "d"),
                    LabelledAt("e", kHorizon, 16, "b")}),
            (std::vector<AppendOutcome>{
                AppendOutcome::kStored, AppendOutcome::kStored,
                AppendOutcome::kStored, AppendOutcome::kCardinalityLimit,
                AppendOutcome::kStored}));
  v1::UsageRecord other_model = LabelledAt("f", kHorizon, 32, "a");
  other_model.set_model("other");
  EXPECT_EQ(AppendOne(other_model), AppendOutcome::kCardinalityLimit);
  EXPECT_EQ(AppendOne(LabelledAt("a", kHorizon, 1, "a")),
            AppendOutcome::kDuplicate);
  EXPECT_EQ(Groups(&store(), August()),
            (Texts{"[-] 1 4", "['a'] 1 1", "['b'] 2 18"}));
}

TEST_P(UsageStoreContract, PagesOfTotalsByLabelAreComplete) {
  OpenWithLabels("customer");
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 500; ++i) {
    records.push_back(LabelledAt("r" + std::to_string(i), kHorizon, i + 1,
                                 ("c" + std::to_string(i % 100)).c_str()));
    records.back().set_model("m" + std::to_string(i % 7));
    SetEventTime(Nanos("2026-08-01T00:00:00Z") + i * 3'000'000'000'000,
                 &records.back());
  }
  Append(records);
  for (const v1::TimeBucket bucket :
       {v1::TIME_BUCKET_NONE, v1::TIME_BUCKET_MONTH, v1::TIME_BUCKET_DAY}) {
    UsageQuery query = August(bucket);
    query.window.end_nanos = Nanos("2026-08-31T23:59:59.5Z");
    query.page_size = 10'000;
    const Texts all = Rows(query);
    EXPECT_GE(all.size(), 100u);
    query.page_size = 7;
    EXPECT_EQ(Rows(query), all);
    query.order = RowOrder{v1::USAGE_MEASURE_TOTAL_TOKENS};
    EXPECT_EQ(Rows(query).size(), all.size());
    query.filters = {{LabelField("customer"), {"c42"}, false}};
    query.group_by = {{UsageField::Kind::kModel, ""}};
    EXPECT_GE(Rows(query).size(), 5u);
  }
}

}  // namespace
}  // namespace tokenusage::testing
