// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/row_aggregator.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"

namespace tokenusage {
namespace {

using testing::Nanos;

std::string Group(const std::string& value) {
  return EncodeGroupKey(GroupKey{value});
}

UsageQuery HourQuery(int page_size) {
  UsageQuery query = testing::QueryOf(
      "2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z", v1::TIME_BUCKET_HOUR);
  query.page_size = page_size;
  return query;
}

// Adds a record without counts.
void Add(std::int64_t nanos, const std::string& group, RowAggregator* rows) {
  if (UsageSum* const sum = rows->SumOf(nanos, Group(group))) {
    sum->Add(UsageCounts());
  }
}

TEST(RowAggregatorTest, TheEndFallsAsThePageFills) {
  const UsageQuery query = HourQuery(2);
  RowAggregator rows(query);
  EXPECT_EQ(rows.start_nanos(), query.window.start_nanos);
  for (const char* hour : {"09", "08", "07"}) {
    EXPECT_EQ(rows.end_nanos(), query.window.end_nanos);
    Add(Nanos("2026-08-01T" + std::string(hour) + ":30:00Z"), "a", &rows);
  }
  // Two rows and one that shows that there are more; another group of the last
  // one's hour may still come before it.
  EXPECT_EQ(rows.end_nanos(), Nanos("2026-08-01T10:00:00Z"));
  Add(Nanos("2026-08-01T03:00:00Z"), "a", &rows);
  EXPECT_EQ(rows.end_nanos(), Nanos("2026-08-01T09:00:00Z"));
  Add(Nanos("2026-08-01T09:00:00Z"), "a", &rows);
  Add(Nanos("2026-08-01T07:59:59Z"), "a", &rows);
  const UsageQueryPage page = rows.Finish().value();
  EXPECT_TRUE(page.has_more);
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[0].sum.record_count, 1);
  EXPECT_EQ(page.rows[1].sum.record_count, 2);
}

TEST(RowAggregatorTest, ALaterPageStartsAtTheBucketOfTheRowBefore) {
  UsageQuery query = HourQuery(10);
  query.after = RowPosition{Nanos("2026-08-01T07:00:00Z"), Group("b")};
  RowAggregator rows(query);
  EXPECT_EQ(rows.start_nanos(), Nanos("2026-08-01T07:00:00Z"));
  Add(Nanos("2026-08-01T06:30:00Z"), "c", &rows);
  for (const char* group : {"a", "b", "c"}) {
    Add(Nanos("2026-08-01T07:30:00Z"), group, &rows);
  }
  const UsageQueryPage page = rows.Finish().value();
  EXPECT_FALSE(page.has_more);
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].key, GroupKey{"c"});
}

TEST(RowAggregatorTest, WantsWhatMayBeOnThePage) {
  UsageQuery query = HourQuery(1);
  query.after = RowPosition{Nanos("2026-08-01T07:00:00Z"), Group("b")};
  RowAggregator rows(query);
  const std::int64_t nanos = Nanos("2026-08-01T07:30:00Z");
  EXPECT_FALSE(rows.Wants(Nanos("2026-08-01T06:30:00Z"), Group("c")));
  EXPECT_FALSE(rows.Wants(nanos, Group("b")));
  EXPECT_TRUE(rows.Wants(nanos, Group("f")));
  EXPECT_TRUE(rows.Wants(query.window.end_nanos - 1, Group("a")));
  Add(nanos, "d", &rows);
  Add(nanos, "e", &rows);  // shows that there are more
  EXPECT_TRUE(rows.Wants(nanos, Group("c")));
  EXPECT_TRUE(rows.Wants(nanos, Group("e")));
  EXPECT_FALSE(rows.Wants(nanos, Group("f")));
  EXPECT_EQ(rows.Finish().value().rows.size(), 1u);
}

TEST(RowAggregatorTest, GroupKeysAreDecodedAsTheyWereEncoded) {
  for (const GroupKey& key :
       {GroupKey(), GroupKey{std::nullopt}, GroupKey{""},
        GroupKey{"a", std::nullopt, "", "\xc3\xa4"},
        GroupKey{std::nullopt, std::nullopt, "b", std::nullopt}}) {
    EXPECT_EQ(DecodeGroupKey(EncodeGroupKey(key)), key);
  }
}

TEST(RowAggregatorTest, TooManyRowsToOrderAreAnError) {
  UsageQuery query = HourQuery(10);
  query.order = RowOrder();
  RowAggregator rows(query);
  for (std::size_t i = 0; i < kMaxOrderedRows; ++i) {
    Add(query.window.start_nanos, std::to_string(i), &rows);
  }
  // Later records are still read: they may add to these rows.
  EXPECT_EQ(rows.end_nanos(), query.window.end_nanos);
  RowAggregator more(query);
  for (std::size_t i = 0; i <= kMaxOrderedRows; ++i) {
    Add(query.window.start_nanos, std::to_string(i), &more);
  }
  EXPECT_EQ(rows.Finish()->rows.size(), 10u);
  EXPECT_EQ(more.end_nanos(), query.window.start_nanos);
  EXPECT_EQ(more.Finish().status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace tokenusage
