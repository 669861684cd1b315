// SPDX-License-Identifier: Apache-2.0

// The contract of ListRecords.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/record/same_content.h"

namespace tokenusage::testing {
namespace {

using Texts = std::vector<std::string>;

TEST_P(UsageStoreContract, ListsTheRecordsOfTheWindowByTime) {
  Append({RecordAt("d", "2026-08-01T12:00:02Z", 1),
          RecordAt("a", "2026-08-01T12:00:01Z", 1),
          RecordAt("b", "2026-08-01T12:00:00Z", 1),
          RecordAt("c", "2026-08-01T11:59:59.999999999Z", 1),
          RecordAt("e", "2026-08-01T12:00:01.999999999Z", 1)});
  EXPECT_EQ(AllIds(&store(), RecordQueryOf("2026-08-01T12:00:00Z",
                                           "2026-08-01T12:00:02Z")),
            (Texts{"b", "a", "e"}));
  RecordQuery other =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:02Z");
  other.project = "q";
  EXPECT_EQ(AllIds(&store(), other), Texts());
}

TEST_P(UsageStoreContract, ListsRecordsAsTheyWereReported) {
  v1::UsageRecord record = ValidRecord("a", Nanos("2026-08-01T12:00:00Z"));
  (*record.mutable_labels())["team"] = "red";
  Append({record});
  const auto page = store().ListRecords(
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:01Z"));
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->records.size(), 1u);
  EXPECT_TRUE(SameContent(page->records[0], record));
  EXPECT_TRUE(page->records[0].has_receive_time());
  EXPECT_FALSE(page->has_more);
}

// Returns ids that sort around UUIDs in byte order: prefixes, extensions, other
// cases and signs.
Texts MixedIds() {
  Texts ids = {"0",
               "00000000-0000-0000-0000-00000000000",
               "00000000-0000-0000-0000-000000000000",
               "00000000-0000-0000-0000-0000000000000",
               "01982F7C-7B3A-7000-8000-00000000002A",
               "01982f7c",
               "01982f7c-7b3a-7000-8000-00000000002a",
               "01982f7c-7b3a-7000-8000-00000000002a.",
               "01982f7c-7b3a-7000-8000-00000000002b",
               "01982f7c-7b3a-7000-8000-00000000002g",
               "01982f7c-7b3a-7000-8000~",
               "01982f7c.7b3a-7000-8000-00000000002a",
               "01982f7d-7b3a-7000-8000-00000000002a",
               "9fffffff-ffff-ffff-ffff-ffffffffffff",
               "A",
               "a0000000-0000-0000-0000-000000000000",
               "ffffffff-ffff-ffff-ffff-ffffffffffff",
               "ffffffff-ffff-ffff-ffff-fffffffffffff",
               "g",
               "~"};
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST_P(UsageStoreContract, ListsEqualTimesByTheBytesOfTheId) {
  const Texts ids = MixedIds();
  Texts expected;
  std::vector<v1::UsageRecord> records;
  for (const char* time : {"2026-08-01T12:00:00Z", "2026-08-01T12:00:01Z"}) {
    for (const std::string& id : ids) {
      // A record cannot be stored twice, so the second time has other ids.
      const bool second = time[18] == '1';
      expected.push_back(second ? id + "-2" : id);
      records.push_back(RecordAt(expected.back(), time, 1));
    }
  }
  std::sort(expected.begin() + static_cast<std::ptrdiff_t>(ids.size()),
            expected.end());
  std::reverse(records.begin(), records.end());
  Append(std::move(records));
  for (int page_size = 1; page_size <= 41; ++page_size) {
    RecordQuery query =
        RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:02Z");
    query.page_size = page_size;
    ASSERT_EQ(AllIds(&store(), query), expected) << page_size;
  }
}

TEST_P(UsageStoreContract, APageMayStartAfterARecordThatIsNotThere) {
  const Texts ids = MixedIds();
  const std::string time = "2026-08-01T12:00:00Z";
  std::vector<v1::UsageRecord> records;
  for (std::size_t i = 0; i < ids.size(); i += 2) {
    records.push_back(RecordAt(ids[i], time, 1));
  }
  records.push_back(RecordAt("next", "2026-08-01T12:00:01Z", 1));
  Append(std::move(records));
  for (const std::string& after : ids) {
    Texts expected;
    for (std::size_t i = 0; i < ids.size(); i += 2) {
      if (ids[i] > after) expected.push_back(ids[i]);
    }
    expected.push_back("next");
    RecordQuery query = RecordQueryOf(time, "2026-08-01T12:00:02Z");
    query.after = RecordPosition{Nanos(time), after};
    EXPECT_EQ(AllIds(&store(), query), expected) << after;
  }
}

TEST_P(UsageStoreContract, ListPagesSayWhetherThereIsMore) {
  Append({RecordAt("a", "2026-08-01T12:00:00Z", 1),
          RecordAt("b", "2026-08-01T12:00:01Z", 1),
          RecordAt("c", "2026-08-01T12:00:02Z", 1)});
  RecordQuery query =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:03Z");
  for (const int page_size : {1, 2, 3, 4}) {
    query.page_size = page_size;
    const auto page = store().ListRecords(query);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->records.size(),
              static_cast<std::size_t>(std::min(page_size, 3)));
    EXPECT_EQ(page->has_more, page_size < 3);
  }
}

TEST_P(UsageStoreContract, ListPagesKeepToTheirBytes) {
  std::vector<v1::UsageRecord> records;
  std::int64_t bytes = 0;
  for (int i = 0; i < 4; ++i) {
    records.push_back(
        RecordAt("id-" + std::to_string(i), "2026-08-01T12:00:00Z", 1));
    bytes = static_cast<std::int64_t>((*CheckedOf(records))[0].bytes().size());
  }
  Append(std::move(records));
  RecordQuery query =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:03Z");
  const auto page_sizes = [&](std::int64_t max_bytes) {
    query.max_page_bytes = max_bytes;
    const auto page = store().ListRecords(query);
    return std::pair(page->records.size(), page->has_more);
  };
  EXPECT_EQ(page_sizes(1), std::pair(std::size_t{1}, true));
  EXPECT_EQ(page_sizes(2 * bytes - 1), std::pair(std::size_t{1}, true));
  EXPECT_EQ(page_sizes(2 * bytes), std::pair(std::size_t{2}, true));
  EXPECT_EQ(page_sizes(4 * bytes), std::pair(std::size_t{4}, false));
  query.max_page_bytes = 1;
  EXPECT_EQ(AllIds(&store(), query), (Texts{"id-0", "id-1", "id-2", "id-3"}));
}

TEST_P(UsageStoreContract, ListsOnlyWhatContradictsItself) {
  // Every second record of each time contradicts itself, in all orders of ids.
  const Texts ids = MixedIds();
  Texts expected;
  std::vector<v1::UsageRecord> records;
  for (const char* time : {"2026-08-01T12:00:00Z", "2026-08-01T12:00:01Z"}) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::string id = time[18] == '1' ? ids[i] + "-2" : ids[i];
      records.push_back(RecordAt(id, time, 5));
      if (i % 2 == 0) continue;
      records.back().mutable_orq_images_edits()->set_total_tokens(4);
      expected.push_back(id);
    }
  }
  std::sort(expected.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2),
            expected.end());
  v1::UsageRecord unknown = RecordAt("unknown", "2026-08-01T12:00:00Z", 0);
  unknown.mutable_usage_unknown()->set_reason(v1::UNKNOWN_USAGE_REASON_ABORTED);
  records.push_back(std::move(unknown));
  Append(std::move(records));
  RecordQuery query =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:02Z");
  query.inconsistent_only = true;
  for (int page_size = 1; page_size <= 21; ++page_size) {
    query.page_size = page_size;
    ASSERT_EQ(AllIds(&store(), query), expected) << page_size;
  }
  query.window.end_nanos = Nanos("2026-08-01T12:00:01Z");
  EXPECT_EQ(AllIds(&store(), query).size(), ids.size() / 2);
  query.project = "q";
  EXPECT_EQ(AllIds(&store(), query), Texts());
  // Such records are removed like all others.
  query.project = "p";
  ASSERT_THAT(maintenance().RemoveRecordsBefore(
                  "p", Time("2026-08-01T13:00:00Z"), CallLimits()),
              IsOk());
  query.window = {Nanos("2026-08-01T13:00:00Z"), Nanos("2026-08-02T00:00:00Z")};
  EXPECT_EQ(AllIds(&store(), query), Texts());
}

TEST_P(UsageStoreContract, ListsOnlyWhatPassesTheFilters) {
  const Texts ids = MixedIds();
  std::vector<v1::UsageRecord> records;
  Texts red;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    records.push_back(RecordAt(ids[i], "2026-08-01T12:00:00Z", 5));
    records.back().set_model(i % 2 == 0 ? "m1" : "m2");
    if (i % 3 == 2) continue;
    (*records.back().mutable_labels())["team"] = i % 3 == 0 ? "red" : "";
    if (i % 3 == 0) red.push_back(ids[i]);
  }
  Append(std::move(records));
  const UsageField model{UsageField::Kind::kModel, ""};
  const UsageField team = LabelField("team");
  RecordQuery query =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:01Z");
  const auto count = [&](std::vector<UsageFieldFilter> filters) {
    query.filters = std::move(filters);
    return AllIds(&store(), query).size();
  };
  EXPECT_EQ(count({{model, {"m1"}, false}}), 10u);
  EXPECT_EQ(count({{model, {"m1", "m2"}, false}}), 20u);
  EXPECT_EQ(count({{model, {"m3"}, false}}), 0u);
  EXPECT_EQ(count({{team, {""}, false}}), 7u);
  EXPECT_EQ(count({{team, {}, true}}), 6u);
  EXPECT_EQ(count({{team, {"red"}, true}}), 13u);
  EXPECT_EQ(count({{team, {"red"}, false}, {model, {"m2"}, false}}), 3u);
  query.inconsistent_only = true;
  EXPECT_EQ(count({{model, {"m1"}, false}}), 0u);
  query.inconsistent_only = false;
  query.filters = {{team, {"red"}, false}};
  for (int page_size = 1; page_size <= 8; ++page_size) {
    query.page_size = page_size;
    ASSERT_EQ(AllIds(&store(), query), red) << page_size;
  }
}

TEST_P(UsageStoreContract, ListEndsAtItsDeadline) {
  RecordQuery query =
      RecordQueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:00:03Z");
  query.limits.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(store().ListRecords(query).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace tokenusage::testing
