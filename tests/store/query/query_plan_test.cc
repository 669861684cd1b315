// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/query_plan.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tokenusage/store/query/time_buckets.h"

namespace tokenusage::testing {
namespace {

// Returns the plan as text: sources and window lengths in minutes.
std::string PlanText(const UsageQuery& query, std::int64_t start_nanos,
                     const RollupLabels& labels = {}) {
  std::string text;
  std::int64_t expected_start = start_nanos;
  for (const QuerySegment& segment : PlanQuery(query, start_nanos, labels)) {
    EXPECT_EQ(segment.window.start_nanos, expected_start);
    expected_start = segment.window.end_nanos;
    const char* const names[] = {"records", "quarter_hours", "hours", "months"};
    text +=
        std::string(names[static_cast<int>(segment.source)]) + ":" +
        std::to_string((segment.window.end_nanos - segment.window.start_nanos) /
                       60'000'000'000) +
        " ";
  }
  EXPECT_EQ(expected_start, query.window.end_nanos);
  return text;
}

std::string PlanText(const UsageQuery& query) {
  return PlanText(query, query.window.start_nanos);
}

TEST(QueryPlanTest, ReadsTheInsideFromTheLargestCellsThatFit) {
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z")),
            "hours:1440 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:07:00Z", "2026-08-01T10:53:00Z")),
            "records:8 quarter_hours:45 hours:540 quarter_hours:45 records:8 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:45:00Z", "2026-08-01T02:00:00Z")),
            "quarter_hours:15 hours:60 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:20:00Z", "2026-08-01T00:50:00Z")),
            "records:10 quarter_hours:15 records:5 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:20:00Z", "2026-08-01T00:25:00Z")),
            "records:5 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:50:00Z", "2026-08-01T01:10:00Z")),
            "records:20 ");
}

TEST(QueryPlanTest, CellsNeverSpanTwoBuckets) {
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_DAY, "Europe/Berlin")),
            "hours:2880 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_DAY, "Asia/Kolkata")),
            "quarter_hours:2880 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_HOUR, "Asia/Kolkata")),
            "hours:2880 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_MINUTE)),
            "records:2880 ");
}

// Zones with odd offsets, and with clocks that change at or about midnight.
TEST(QueryPlanTest, EveryDayOfAZoneBeginsWithACell) {
  for (const char* zone :
       {"UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu",
        "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Chatham",
        "Pacific/Apia", "America/St_Johns", "America/Sao_Paulo",
        "America/Caracas", "America/Havana", "America/Asuncion",
        "Asia/Pyongyang", "Asia/Beirut", "Africa/Cairo", "Asia/Tehran"}) {
    const UsageQuery query =
        QueryOf("2000-01-01T00:00:00Z", "2040-01-01T00:00:00Z",
                v1::TIME_BUCKET_DAY, zone);
    TimeBuckets buckets(query.bucket, query.time_zone, query.window);
    for (const QuerySegment& segment :
         PlanQuery(query, query.window.start_nanos, {})) {
      ASSERT_NE(segment.source, QuerySegment::Source::kRecords) << zone;
      const std::int64_t cell = segment.source == QuerySegment::Source::kHours
                                    ? kNanosPerHour
                                    : kNanosPerQuarterHour;
      for (std::int64_t at = segment.window.start_nanos;
           at < segment.window.end_nanos;
           at = buckets.Containing(at).end_nanos) {
        ASSERT_EQ(at % cell, 0) << zone << " " << at;
      }
    }
  }
}

TEST(QueryPlanTest, LabelsAreReadFromRecords) {
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  query.group_by = {LabelField("team")};
  EXPECT_EQ(PlanText(query), "records:1440 ");
  query.group_by = {{UsageField::Kind::kModel, ""}};
  EXPECT_EQ(PlanText(query), "hours:1440 ");
  query.filters = {{LabelField("team"), {"a"}, false}};
  EXPECT_EQ(PlanText(query), "records:1440 ");
}

TEST(QueryPlanTest, ALaterPageStartsAtItsBucket) {
  const UsageQuery query = QueryOf("2026-08-01T00:07:00Z",
                                   "2026-08-03T00:00:00Z", v1::TIME_BUCKET_DAY);
  EXPECT_EQ(
      PlanText(query, QueryOf("2026-08-02T00:00:00Z", "2026-08-03T00:00:00Z")
                          .window.start_nanos),
      "hours:1440 ");
}

// Returns the plan of a query that groups by a label.
std::string LabelPlan(std::string_view start, std::string_view end,
                      const RollupLabels& labels,
                      v1::TimeBucket bucket = v1::TIME_BUCKET_NONE,
                      const std::string& zone = "UTC") {
  UsageQuery query = QueryOf(start, end, bucket, zone);
  query.group_by = {LabelField("customer")};
  return PlanText(query, query.window.start_nanos, labels);
}

TEST(QueryPlanTest, RollupLabelsAreReadFromMonthsAndQuarterHours) {
  const RollupLabels labels = {"customer", "team"};
  const char kStart[] = "2026-07-31T23:53:00Z";
  const char kEnd[] = "2026-10-01T00:20:00Z";
  EXPECT_EQ(LabelPlan(kStart, kEnd, labels),
            "records:7 months:87840 quarter_hours:15 records:5 ");
  EXPECT_EQ(LabelPlan(kStart, kEnd, labels, v1::TIME_BUCKET_MONTH),
            "records:7 months:87840 quarter_hours:15 records:5 ");
  for (const char* zone : {"Europe/Berlin", "Asia/Kolkata"}) {
    EXPECT_EQ(LabelPlan(kStart, kEnd, labels, v1::TIME_BUCKET_MONTH, zone),
              "records:7 quarter_hours:87855 records:5 ");
  }
  for (const auto bucket : {v1::TIME_BUCKET_HOUR, v1::TIME_BUCKET_DAY}) {
    EXPECT_EQ(LabelPlan(kStart, kEnd, labels, bucket),
              "records:7 quarter_hours:87855 records:5 ");
  }
  EXPECT_EQ(LabelPlan(kStart, kEnd, labels, v1::TIME_BUCKET_MINUTE),
            "records:87867 ");
}

TEST(QueryPlanTest, OtherLabelsAreReadFromRecords) {
  for (const RollupLabels& labels :
       {RollupLabels{}, RollupLabels{"custom"}, RollupLabels{"customers"}}) {
    EXPECT_EQ(LabelPlan("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", labels),
              "records:44640 ");
  }
  UsageQuery both = QueryOf("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z");
  both.group_by = {LabelField("customer")};
  both.filters = {{LabelField("team"), {"x"}, false}};
  EXPECT_FALSE(UsesRollupLabels(both, {"customer"}));
  EXPECT_TRUE(UsesRollupLabels(both, {"customer", "team"}));
  both.group_by.clear();
  both.filters.clear();
  EXPECT_FALSE(UsesRollupLabels(both, {"customer"}));
}

TEST(QueryPlanTest, AQueryBeforeHorizonsLearnsWhenItWouldBeAnswered) {
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z");
  query.group_by = {LabelField("customer")};
  const auto nanos = [start = query.window.start_nanos](int day) {
    return start + (day - 1) * 24 * kNanosPerHour;
  };
  // "p" has the later horizon, and "q" the later rollups by label.
  const ProjectHorizon p = {"p", nanos(20), {"customer"}, nanos(3)};
  const ProjectHorizon q = {"q", nanos(10), {"customer"}, nanos(5)};
  const auto expect = [&](const std::string& project, const std::string& time) {
    for (const auto& all : {std::vector{p, q}, std::vector{q, p}}) {
      const HorizonErrorInfo info = HorizonOf(CheckHorizon(query, all));
      EXPECT_EQ(info.project, project);
      EXPECT_EQ(info.horizon, time);
    }
  };
  expect("q", "2026-08-05T00:00:00Z");
  query.window.start_nanos = nanos(5);
  expect("", "");
  // Its end, which needs records, would be refused from there, too.
  query.window = {nanos(1), nanos(8) + 1};
  expect("p", "2026-08-20T00:00:00Z");
}

}  // namespace
}  // namespace tokenusage::testing
