// SPDX-License-Identifier: Apache-2.0

// The contract of Query.

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

namespace tokenusage::testing {
namespace {

using Texts = std::vector<std::string>;

const UsageField kOperation{UsageField::Kind::kOperation, ""};
const UsageField kProvider{UsageField::Kind::kProvider, ""};
const UsageField kModel{UsageField::Kind::kModel, ""};

TEST_P(UsageStoreContract, SumsEveryMeasureExactly) {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 1000; ++i) {
    v1::UsageRecord record =
        ValidRecord("id-" + std::to_string(i),
                    Nanos("2026-08-01T12:00:00Z") + i * 7'000'000'000);
    auto* usage = record.mutable_orq_images_variations();
    usage->set_total_tokens(0.1);
    usage->set_input_tokens(kMaxCount);
    usage->set_output_tokens(0);
    usage->mutable_input_tokens_details()->set_text_tokens(1e-12);
    usage->mutable_input_tokens_details()->set_image_tokens(5727.82);
    records.push_back(std::move(record));
  }
  Append(std::move(records));
  for (const v1::TimeBucket bucket :
       {v1::TIME_BUCKET_UNSPECIFIED, v1::TIME_BUCKET_NONE,
        v1::TIME_BUCKET_MONTH}) {
    const auto page = store().Query(
        QueryOf("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", bucket));
    ASSERT_THAT(page, IsOk());
    ASSERT_EQ(page->rows.size(), 1u);
    EXPECT_EQ(SumText(page->rows[0].sum),
              "1000 records, 1000 inconsistent, 0 unknown; "
              "total_tokens 100 of 1000, "
              "input_tokens 9007199254740992000 of 1000, "
              "output_tokens 0 of 1000, "
              "input_text_tokens 0.000000001 of 1000, "
              "input_image_tokens 5727820 of 1000");
  }
}

// Returns records of several kinds, each of which states other measures.
std::vector<v1::UsageRecord> MixedRecords() {
  std::vector<v1::UsageRecord> records;
  const auto add = [&records](const std::string& minute) -> v1::UsageRecord* {
    records.push_back(ValidRecord("mixed-" + std::to_string(records.size()),
                                  Nanos("2026-08-01T10:" + minute + ":00Z")));
    return &records.back();
  };
  auto* chat = add("00")->mutable_openai_chat();
  chat->set_prompt_tokens(100);
  chat->set_completion_tokens(20);
  chat->set_total_tokens(120);
  chat = add("01")->mutable_openai_chat();
  chat->set_prompt_tokens(1000);
  chat->set_completion_tokens(1);
  chat->set_total_tokens(1001);
  chat->mutable_prompt_tokens_details()->set_cached_tokens(0);
  // States more cached input than input.
  chat = add("20")->mutable_openai_chat();
  chat->set_prompt_tokens(7);
  chat->set_completion_tokens(0);
  chat->set_total_tokens(7);
  chat->mutable_prompt_tokens_details()->set_cached_tokens(8);
  add("20");  // the provider's example, which contradicts itself
  auto* usage = add("40")->mutable_token_usage();
  usage->set_cost_usd(0.000000000001);
  usage->set_pages(2.5);
  add("40")->mutable_token_usage();  // states nothing
  add("41")->mutable_usage_unknown()->set_reason(
      v1::UNKNOWN_USAGE_REASON_ABSENT);
  return records;
}

TEST_P(UsageStoreContract, CountsWhatEachKindOfUsageStates) {
  Append(MixedRecords());
  const std::string total =
      "7 records, 2 inconsistent, 1 unknown; total_tokens 9233.75 of 4, "
      "input_tokens 8558.29 of 4, output_tokens 1463.01 of 4, "
      "input_text_tokens 5727.82 of 1, input_image_tokens 1501.66 of 1, "
      "cache_read_tokens 8 of 2, pages 2.5 of 1, cost_usd 0.000000000001 of 1";
  // From hours, from quarter hours, and from the records.
  UsageQuery hours = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  UsageQuery quarter_hours =
      QueryOf("2026-08-01T10:00:00Z", "2026-08-01T10:45:00Z");
  UsageQuery records = QueryOf("2026-08-01T10:00:00Z", "2026-08-01T10:41:01Z");
  records.filters = {{LabelField("team"), {}, true}};
  for (const UsageQuery& query : {hours, quarter_hours, records}) {
    const auto page = store().Query(query);
    ASSERT_THAT(page, IsOk());
    ASSERT_EQ(page->rows.size(), 1u);
    EXPECT_EQ(SumText(page->rows[0].sum), total);
  }
  const auto page =
      store().Query(QueryOf("2026-08-01T10:30:00Z", "2026-08-01T10:45:00Z"));
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(SumText(page->rows.at(0).sum),
            "3 records, 0 inconsistent, 1 unknown; pages 2.5 of 1, "
            "cost_usd 0.000000000001 of 1");
}

TEST_P(UsageStoreContract, RemovedRecordsStayInTheCountsOfEachKind) {
  std::vector<v1::UsageRecord> records = MixedRecords();
  Append(records);
  const UsageQuery query =
      QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  const std::string before = SumText(store().Query(query)->rows.at(0).sum);
  ASSERT_THAT(maintenance().RemoveRecordsBefore(
                  "p", Time("2026-08-01T11:00:00Z"), CallLimits()),
              IsOk());
  EXPECT_EQ(SumText(store().Query(query)->rows.at(0).sum), before);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  ASSERT_THAT(maintenance().RebuildRollups(CallLimits()), IsOk());
  EXPECT_EQ(SumText(store().Query(query)->rows.at(0).sum), before);
}

// Records at the edges of a minute, an hour and a day; 2^n tokens each, so that
// every set of records has a different sum.
class Edges {
 public:
  static std::vector<v1::UsageRecord> Records() {
    const char* const times[] = {
        "2026-07-31T23:59:59.999999999Z",  // 1
        "2026-08-01T00:00:00Z",            // 2
        "2026-08-01T10:07:29.999999999Z",  // 4
        "2026-08-01T10:07:30Z",            // 8
        "2026-08-01T10:14:59.999999999Z",  // 16
        "2026-08-01T10:15:00Z",            // 32
        "2026-08-01T10:59:59.999999999Z",  // 64
        "2026-08-01T11:00:00Z",            // 128
        "2026-08-01T12:59:59.999999999Z",  // 256
        "2026-08-01T13:00:00Z",            // 512
        "2026-08-01T13:30:00Z",            // 1024
        "2026-08-01T13:45:00Z",            // 2048
        "2026-08-01T13:52:09.999999999Z",  // 4096
        "2026-08-01T13:52:10Z",            // 8192
        "2026-08-01T23:59:59.999999999Z",  // 16384
        "2026-08-02T00:00:00Z",            // 32768
    };
    std::vector<v1::UsageRecord> records;
    double tokens = 1;
    for (const char* time : times) {
      records.push_back(
          RecordAt("id-" + std::to_string(records.size()), time, tokens));
      tokens *= 2;
    }
    return records;
  }
};

TEST_P(UsageStoreContract, WindowsAreHalfOpenAtAnyNanosecond) {
  Append(Edges::Records());
  EXPECT_EQ(Rows(QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z")),
            (Texts{"2026-08-01T00:00:00Z/2026-08-02T00:00:00Z [] 14 32766"}));
  EXPECT_EQ(Rows(QueryOf("2026-08-01T10:07:30Z", "2026-08-01T13:52:10Z")),
            (Texts{"2026-08-01T10:07:30Z/2026-08-01T13:52:10Z [] 10 8184"}));
  EXPECT_EQ(
      Rows(QueryOf("2026-08-01T10:07:29.999999999Z",
                   "2026-08-01T13:52:10.000000001Z")),
      (Texts{"2026-08-01T10:07:29.999999999Z/2026-08-01T13:52:10.000000001Z "
             "[] 12 16380"}));
  EXPECT_EQ(Rows(QueryOf("2026-08-01T10:15:00Z", "2026-08-01T13:45:00Z")),
            (Texts{"2026-08-01T10:15:00Z/2026-08-01T13:45:00Z [] 6 2016"}));
  EXPECT_EQ(Rows(QueryOf("2026-08-01T11:00:00Z", "2026-08-01T13:00:00Z")),
            (Texts{"2026-08-01T11:00:00Z/2026-08-01T13:00:00Z [] 2 384"}));
  // Within one hour, one quarter hour, and one nanosecond.
  EXPECT_EQ(Rows(QueryOf("2026-08-01T10:07:00Z", "2026-08-01T10:59:00Z")),
            (Texts{"2026-08-01T10:07:00Z/2026-08-01T10:59:00Z [] 4 60"}));
  EXPECT_EQ(Rows(QueryOf("2026-08-01T10:07:30Z", "2026-08-01T10:08:00Z")),
            (Texts{"2026-08-01T10:07:30Z/2026-08-01T10:08:00Z [] 1 8"}));
  EXPECT_EQ(
      Rows(QueryOf("2026-08-01T10:15:00Z", "2026-08-01T10:15:00.000000001Z")),
      (Texts{"2026-08-01T10:15:00Z/2026-08-01T10:15:00.000000001Z "
             "[] 1 32"}));
  EXPECT_EQ(
      Rows(QueryOf("2026-08-01T10:15:00.000000001Z", "2026-08-01T10:16:00Z")),
      Texts());
}

TEST_P(UsageStoreContract, MinutesAndHoursAreThoseOfUtc) {
  Append(Edges::Records());
  for (const std::string zone : {"UTC", "Asia/Kolkata"}) {
    EXPECT_EQ(Rows(QueryOf("2026-08-01T10:07:30Z", "2026-08-01T13:52:00Z",
                           v1::TIME_BUCKET_HOUR, zone)),
              (Texts{"2026-08-01T10:07:30Z/2026-08-01T11:00:00Z [] 4 120",
                     "2026-08-01T11:00:00Z/2026-08-01T12:00:00Z [] 1 128",
                     "2026-08-01T12:00:00Z/2026-08-01T13:00:00Z [] 1 256",
                     "2026-08-01T13:00:00Z/2026-08-01T13:52:00Z [] 3 3584"}));
    EXPECT_EQ(Rows(QueryOf("2026-08-01T10:07:29.5Z", "2026-08-01T10:59:59.9Z",
                           v1::TIME_BUCKET_MINUTE, zone)),
              (Texts{"2026-08-01T10:07:29.5Z/2026-08-01T10:08:00Z [] 2 12",
                     "2026-08-01T10:14:00Z/2026-08-01T10:15:00Z [] 1 16",
                     "2026-08-01T10:15:00Z/2026-08-01T10:16:00Z [] 1 32"}));
  }
}

TEST_P(UsageStoreContract, DaysWeeksAndMonthsAreCutToTheWindow) {
  Append(Edges::Records());
  EXPECT_EQ(Rows(QueryOf("2026-07-31T12:00:00Z", "2026-08-02T12:00:00Z",
                         v1::TIME_BUCKET_DAY)),
            (Texts{"2026-07-31T12:00:00Z/2026-08-01T00:00:00Z [] 1 1",
                   "2026-08-01T00:00:00Z/2026-08-02T00:00:00Z [] 14 32766",
                   "2026-08-02T00:00:00Z/2026-08-02T12:00:00Z [] 1 32768"}));
  // 2026-08-01 is a Saturday.
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z",
                         v1::TIME_BUCKET_WEEK)),
            (Texts{"2026-07-27T00:00:00Z/2026-08-03T00:00:00Z [] 16 65535"}));
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-08-02T00:00:00Z",
                         v1::TIME_BUCKET_MONTH)),
            (Texts{"2026-07-01T00:00:00Z/2026-08-01T00:00:00Z [] 1 1",
                   "2026-08-01T00:00:00Z/2026-08-02T00:00:00Z [] 14 32766"}));
}

// The starts of consecutive days of a zone; the last one ends the window.
struct ZoneDays {
  const char* zone;
  Texts starts;
};

const std::vector<ZoneDays>& SpecialDays() {
  static const auto* const days = new std::vector<ZoneDays>{
      // 23 hours, then 25.
      {"Europe/Berlin",
       {"2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z",
        "2026-03-30T22:00:00Z"}},
      {"Europe/Berlin",
       {"2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
        "2026-10-26T23:00:00Z"}},
      // Half and quarter hours.
      {"Asia/Kolkata",
       {"2026-07-31T18:30:00Z", "2026-08-01T18:30:00Z",
        "2026-08-02T18:30:00Z"}},
      {"Asia/Kathmandu",
       {"2026-06-01T18:15:00Z", "2026-06-02T18:15:00Z",
        "2026-06-03T18:15:00Z"}},
      // Clocks go back by half an hour.
      {"Australia/Lord_Howe",
       {"2026-04-03T13:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z",
        "2026-04-06T13:30:00Z"}},
      // 2011-12-30 did not take place.
      {"Pacific/Apia",
       {"2011-12-28T10:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z",
        "2011-12-31T10:00:00Z"}},
      // Clocks went back at 00:01 to 23:01: the day had begun a minute before.
      {"America/St_Johns",
       {"2010-11-05T02:30:00Z", "2010-11-06T02:30:00Z", "2010-11-07T02:30:00Z",
        "2010-11-08T03:30:00Z", "2010-11-09T03:30:00Z"}},
      // Clocks go forward at midnight: the day starts at 01:00.
      {"America/Santiago",
       {"2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z",
        "2026-09-07T03:00:00Z"}},
  };
  return *days;
}

// Returns six records of 126 tokens in all, two of them at the day's first and
// last nanosecond.
std::vector<v1::UsageRecord> RecordsOfDay(const std::string& start_text,
                                          const std::string& end_text) {
  const std::int64_t start = Nanos(start_text);
  const std::int64_t end = Nanos(end_text);
  constexpr std::int64_t kFiftyMinutes = 3'000'000'000'000;
  std::vector<v1::UsageRecord> records;
  for (const std::int64_t time :
       {start, start + 59'000'000'000, start + kFiftyMinutes, (start + end) / 2,
        end - kFiftyMinutes, end - 1}) {
    const std::size_t n = records.size() + 1;
    records.push_back(RecordAt(start_text + "." + std::to_string(n), start_text,
                               static_cast<double>(1 << n)));
    SetEventTime(time, &records.back());
  }
  return records;
}

TEST_P(UsageStoreContract, DaysFollowTheTimeZone) {
  for (const auto& [zone, starts] : SpecialDays()) {
    SCOPED_TRACE(std::string(zone) + " " + starts[1]);
    Texts expected;
    for (std::size_t day = 0; day + 1 < starts.size(); ++day) {
      Append(RecordsOfDay(starts[day], starts[day + 1]));
      expected.push_back(starts[day] + "/" + starts[day + 1] + " [] 6 126");
    }
    EXPECT_EQ(
        Rows(QueryOf(starts.front(), starts.back(), v1::TIME_BUCKET_DAY, zone)),
        expected);
  }
}

TEST_P(UsageStoreContract, WeeksAndMonthsFollowTheTimeZone) {
  Append({RecordAt("a", "2026-03-01T04:59:59Z", 1),
          RecordAt("b", "2026-03-01T05:00:00Z", 2),
          RecordAt("c", "2026-04-01T03:59:59Z", 4),
          RecordAt("d", "2026-04-01T04:00:00Z", 8)});
  EXPECT_EQ(Rows(QueryOf("2026-02-01T05:00:00Z", "2026-05-01T04:00:00Z",
                         v1::TIME_BUCKET_MONTH, "America/New_York")),
            (Texts{"2026-02-01T05:00:00Z/2026-03-01T05:00:00Z [] 1 1",
                   "2026-03-01T05:00:00Z/2026-04-01T04:00:00Z [] 2 6",
                   "2026-04-01T04:00:00Z/2026-05-01T04:00:00Z [] 1 8"}));
  EXPECT_EQ(Rows(QueryOf("2026-02-01T05:00:00Z", "2026-05-01T04:00:00Z",
                         v1::TIME_BUCKET_WEEK, "America/New_York")),
            (Texts{"2026-02-23T05:00:00Z/2026-03-02T05:00:00Z [] 2 3",
                   "2026-03-30T04:00:00Z/2026-04-06T04:00:00Z [] 2 12"}));
}

std::vector<v1::UsageRecord> GroupedRecords() {
  struct Row {
    const char* operation;
    const char* provider;
    const char* model;
    const char* team;  // null: no such label
  };
  const Row rows[] = {{"edit", "openai", "m1", "red"},     // 1
                      {"edit", "openai", "m2", ""},        // 2
                      {"edit", "", "m1", nullptr},         // 4
                      {"vary", "openai", "", "red"},       // 8
                      {"vary", "azure", "m1", "blue"},     // 16
                      {"vary", "azure", "m10", nullptr}};  // 32
  std::vector<v1::UsageRecord> records;
  double tokens = 1;
  for (const Row& row : rows) {
    v1::UsageRecord record = RecordAt("id-" + std::to_string(records.size()),
                                      "2026-08-01T10:00:00Z", tokens);
    record.set_operation(row.operation);
    record.set_provider(row.provider);
    record.set_model(row.model);
    if (row.team != nullptr) (*record.mutable_labels())["team"] = row.team;
    records.push_back(std::move(record));
    tokens *= 2;
  }
  return records;
}

// Returns the groups, counts and totals of all rows.
Texts Groups(const Texts& rows) {
  Texts groups;
  for (const std::string& row : rows)
    groups.push_back(row.substr(row.find('[')));
  return groups;
}

UsageQuery GroupQuery(std::vector<UsageField> group_by,
                      std::vector<UsageFieldFilter> filters = {}) {
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  query.group_by = std::move(group_by);
  query.filters = std::move(filters);
  return query;
}

TEST_P(UsageStoreContract, GroupsByNamesAndLabels) {
  Append(GroupedRecords());
  EXPECT_EQ(Groups(Rows(GroupQuery({kOperation}))),
            (Texts{"['edit'] 3 7", "['vary'] 3 56"}));
  EXPECT_EQ(Groups(Rows(GroupQuery({kModel}))),
            (Texts{"[''] 1 8", "['m1'] 3 21", "['m10'] 1 32", "['m2'] 1 2"}));
  EXPECT_EQ(Groups(Rows(GroupQuery({kProvider, kOperation}))),
            (Texts{"['','edit'] 1 4", "['azure','vary'] 2 48",
                   "['openai','edit'] 2 3", "['openai','vary'] 1 8"}));
  EXPECT_EQ(Groups(Rows(GroupQuery({LabelField("team")}))),
            (Texts{"[-] 2 36", "[''] 1 2", "['blue'] 1 16", "['red'] 2 9"}));
  EXPECT_EQ(Groups(Rows(GroupQuery({LabelField("none")}))),
            (Texts{"[-] 6 63"}));
  EXPECT_EQ(Groups(Rows(GroupQuery(
                {LabelField("team"), kModel, kOperation, kProvider}))),
            (Texts{"[-,'m1','edit',''] 1 4", "[-,'m10','vary','azure'] 1 32",
                   "['','m2','edit','openai'] 1 2",
                   "['blue','m1','vary','azure'] 1 16",
                   "['red','','vary','openai'] 1 8",
                   "['red','m1','edit','openai'] 1 1"}));
}

TEST_P(UsageStoreContract, FiltersByNamesAndLabels) {
  Append(GroupedRecords());
  const auto total = [&](std::vector<UsageFieldFilter> filters) {
    return Groups(Rows(GroupQuery({}, std::move(filters))));
  };
  EXPECT_EQ(total({{kOperation, {"edit"}, false}}), (Texts{"[] 3 7"}));
  EXPECT_EQ(total({{kModel, {"m1", "m2"}, false}}), (Texts{"[] 4 23"}));
  EXPECT_EQ(total({{kModel, {""}, false}}), (Texts{"[] 1 8"}));
  EXPECT_EQ(total({{kModel, {"m1"}, false}, {kOperation, {"edit"}, false}}),
            (Texts{"[] 2 5"}));
  EXPECT_EQ(total({{kModel, {"M1", "m", "m100"}, false}}), Texts());
  const UsageField team = LabelField("team");
  EXPECT_EQ(total({{team, {"red"}, false}}), (Texts{"[] 2 9"}));
  EXPECT_EQ(total({{team, {""}, false}}), (Texts{"[] 1 2"}));
  EXPECT_EQ(total({{team, {}, true}}), (Texts{"[] 2 36"}));
  EXPECT_EQ(total({{team, {"blue"}, true}}), (Texts{"[] 3 52"}));
  EXPECT_EQ(total({{team, {"red"}, false}, {kOperation, {"vary"}, false}}),
            (Texts{"[] 1 8"}));
  EXPECT_EQ(Groups(Rows(GroupQuery({kProvider}, {{team, {}, true}}))),
            (Texts{"[''] 1 4", "['azure'] 1 32"}));
}

TEST_P(UsageStoreContract, RowsComeByBucketThenByGroupInPages) {
  std::vector<v1::UsageRecord> records;
  Texts expected;
  for (int hour = 10; hour < 16; ++hour) {
    const std::string start = "2026-08-01T" + std::to_string(hour) + ":00:00Z";
    const std::string end =
        "2026-08-01T" + std::to_string(hour + 1) + ":00:00Z";
    for (const std::string model : {"", "a", "a ", "aa", "b", "\xc3\xa4"}) {
      if (hour == 13 || (hour == 12 && model == "a")) continue;
      v1::UsageRecord record =
          RecordAt("id-" + std::to_string(records.size()), start, hour);
      record.set_model(model);
      records.push_back(std::move(record));
      expected.push_back(start + "/" + end + " ['" + model + "'] 1 " +
                         std::to_string(hour));
    }
  }
  std::reverse(records.begin(), records.end());
  Append(std::move(records));
  for (const bool labels : {false, true}) {
    UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z",
                               v1::TIME_BUCKET_HOUR);
    query.group_by = {kModel};
    // With this filter, the same rows come from records instead of rollups.
    if (labels) query.filters = {{LabelField("team"), {}, true}};
    for (int page_size = 1; page_size <= 31; ++page_size) {
      query.page_size = page_size;
      ASSERT_EQ(Rows(query), expected) << page_size;
    }
  }
}

TEST_P(UsageStoreContract, QueryPagesSayWhetherThereIsMore) {
  Append(GroupedRecords());
  UsageQuery query = GroupQuery({kModel});
  for (const int page_size : {1, 3, 4, 5}) {
    query.page_size = page_size;
    const auto page = store().Query(query);
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->rows.size(),
              static_cast<std::size_t>(std::min(page_size, 4)));
    EXPECT_EQ(page->has_more, page_size < 4);
  }
}

// Returns records of four models in two hours. Three models have a cost, and
// two of the costs are equal.
std::vector<v1::UsageRecord> RecordsWithCosts() {
  struct Row {
    const char* model;
    const char* time;
    double tokens;
    double cost_usd;  // negative: none
  };
  const Row rows[] = {
      {"a", "2026-08-01T10:00:00Z", 5, 0.1},
      {"a", "2026-08-01T11:00:00Z", 5, 0.000000000001},
      {"b", "2026-08-01T10:00:00Z", 9, -1},
      {"b", "2026-08-01T11:00:00Z", 1, 0.25},
      {"c", "2026-08-01T10:00:00Z", 100, -1},
      {"d", "2026-08-01T10:07:00Z", 10, 0},
      {"d", "2026-08-01T11:59:00Z", 0, 0.25},
  };
  std::vector<v1::UsageRecord> records;
  for (const Row& row : rows) {
    v1::UsageRecord record =
        ValidRecord("id-" + std::to_string(records.size()), Nanos(row.time));
    record.set_model(row.model);
    auto* usage = record.mutable_token_usage();
    usage->set_total_tokens(row.tokens);
    if (row.cost_usd >= 0) usage->set_cost_usd(row.cost_usd);
    records.push_back(std::move(record));
  }
  return records;
}

TEST_P(UsageStoreContract, OrdersRowsByAMeasureLargestFirst) {
  Append(RecordsWithCosts());
  const auto models_by = [&](v1::UsageMeasure measure) {
    UsageQuery query = GroupQuery({kModel});
    query.order = RowOrder{measure};
    return Groups(Rows(query));
  };
  // Equal sums come in the usual order, and rows without the measure last.
  EXPECT_EQ(models_by(v1::USAGE_MEASURE_COST_USD),
            (Texts{"['b'] 2 10", "['d'] 2 10", "['a'] 2 10", "['c'] 1 100"}));
  EXPECT_EQ(models_by(v1::USAGE_MEASURE_TOTAL_TOKENS),
            (Texts{"['c'] 1 100", "['a'] 2 10", "['b'] 2 10", "['d'] 2 10"}));
  EXPECT_EQ(models_by(v1::USAGE_MEASURE_UNSPECIFIED),
            (Texts{"['a'] 2 10", "['b'] 2 10", "['d'] 2 10", "['c'] 1 100"}));
  EXPECT_EQ(models_by(v1::USAGE_MEASURE_IMAGES),
            (Texts{"['a'] 2 10", "['b'] 2 10", "['c'] 1 100", "['d'] 2 10"}));
}

TEST_P(UsageStoreContract, OrderedRowsComeInPages) {
  Append(RecordsWithCosts());
  const Texts expected = {
      "2026-08-01T11:00:00Z/2026-08-01T12:00:00Z ['b'] 1 1",
      "2026-08-01T11:00:00Z/2026-08-01T12:00:00Z ['d'] 1 0",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['a'] 1 5",
      "2026-08-01T11:00:00Z/2026-08-01T12:00:00Z ['a'] 1 5",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['d'] 1 10",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['b'] 1 9",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['c'] 1 100"};
  for (const bool labels : {false, true}) {
    UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z",
                               v1::TIME_BUCKET_HOUR);
    query.group_by = {kModel};
    query.order = RowOrder{v1::USAGE_MEASURE_COST_USD};
    // With this filter, the same rows come from records instead of rollups.
    if (labels) query.filters = {{LabelField("team"), {}, true}};
    for (int page_size = 1; page_size <= 8; ++page_size) {
      query.page_size = page_size;
      ASSERT_EQ(Rows(query), expected) << page_size;
    }
  }
}

TEST_P(UsageStoreContract, SumsAcrossProjects) {
  Append(RecordsWithCosts());
  v1::UsageRecord red = RecordAt("id-0", "2026-08-01T10:30:00Z", 1000);
  red.set_model("a");
  (*red.mutable_labels())["team"] = "red";
  for (const char* project : {"q", "r"}) {
    ASSERT_THAT(store().Append(project, CheckedOf({red})), IsOk());
  }
  const UsageField project{UsageField::Kind::kProject, ""};
  const auto groups = [&](Texts projects, std::vector<UsageField> group_by,
                          std::vector<UsageFieldFilter> filters = {}) {
    UsageQuery query = GroupQuery(std::move(group_by), std::move(filters));
    query.projects = std::move(projects);
    return Groups(Rows(query));
  };
  EXPECT_EQ(groups({}, {project}), Texts());
  EXPECT_EQ(groups({"none"}, {project}), Texts());
  EXPECT_EQ(groups({"q", "none", "p"}, {}), (Texts{"[] 8 1130"}));
  EXPECT_EQ(groups({"q", "p"}, {project}),
            (Texts{"['p'] 7 130", "['q'] 1 1000"}));
  EXPECT_EQ(groups({"r", "q", "p"}, {kModel}),
            (Texts{"['a'] 4 2010", "['b'] 2 10", "['c'] 1 100", "['d'] 2 10"}));
  EXPECT_EQ(groups({"q", "p"}, {kModel, project}, {{kModel, {"a"}, false}}),
            (Texts{"['a','p'] 2 10", "['a','q'] 1 1000"}));
  EXPECT_EQ(groups({"p", "q"}, {project, LabelField("team")}),
            (Texts{"['p',-] 7 130", "['q','red'] 1 1000"}));

  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z",
                             v1::TIME_BUCKET_HOUR);
  query.projects = {"r", "p", "q"};
  query.group_by = {project};
  const Texts by_hour = {
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['p'] 4 124",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['q'] 1 1000",
      "2026-08-01T10:00:00Z/2026-08-01T11:00:00Z ['r'] 1 1000",
      "2026-08-01T11:00:00Z/2026-08-01T12:00:00Z ['p'] 3 6"};
  for (int page_size = 1; page_size <= 5; ++page_size) {
    query.page_size = page_size;
    EXPECT_EQ(Rows(query), by_hour) << page_size;
  }
  query.order = RowOrder{v1::USAGE_MEASURE_TOTAL_TOKENS};
  const Texts largest = {by_hour[1], by_hour[2], by_hour[0], by_hour[3]};
  for (int page_size = 1; page_size <= 5; ++page_size) {
    query.page_size = page_size;
    EXPECT_EQ(Rows(query), largest) << page_size;
  }
}

TEST_P(UsageStoreContract, ListsProjectsByTheBytesOfTheirNames) {
  EXPECT_TRUE(store().ListProjects(CallLimits())->empty());
  for (const char* project : {"q", "p2", "p-1", "p", "0"}) {
    ASSERT_THAT(
        store().Append(project,
                       CheckedOf({RecordAt("a", "2026-08-01T10:30:00Z", 1)})),
        IsOk());
  }
  ASSERT_THAT(maintenance().RemoveRecordsBefore(
                  "q", Time("2026-08-01T11:00:00Z"), CallLimits()),
              IsOk());
  ASSERT_THAT(maintenance().DeleteProject("p2", CallLimits()), IsOk());
  const auto projects = store().ListProjects(CallLimits());
  ASSERT_THAT(projects, IsOk());
  Texts found;
  for (const StoredProject& project : *projects) {
    found.push_back(
        project.name + " " +
        absl::FormatTime("%H", project.horizon, absl::UTCTimeZone()));
  }
  EXPECT_EQ(found, (Texts{"0 infinite-past", "p infinite-past",
                          "p-1 infinite-past", "q 11"}));
  CallLimits past;
  past.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_EQ(store().ListProjects(past).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_P(UsageStoreContract, QueriesEndAtTheirDeadline) {
  Append(GroupedRecords());
  for (const bool labels : {false, true}) {
    UsageQuery query = GroupQuery({labels ? LabelField("team") : kModel});
    query.limits.deadline = absl::Now() - absl::Seconds(1);
    EXPECT_EQ(store().Query(query).status().code(),
              absl::StatusCode::kDeadlineExceeded);
    query.limits.deadline = absl::Now() + absl::Seconds(60);
    EXPECT_THAT(store().Query(query), IsOk());
  }
}

TEST_P(UsageStoreContract, QueriesEndWhenNobodyWaits) {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 2000; ++i) {
    records.push_back(
        RecordAt("id-" + std::to_string(i), "2026-08-01T12:00:00Z", 1));
  }
  Append(records);
  UsageQuery query = GroupQuery({LabelField("team")});
  int looks = 0;
  query.limits.is_cancelled = [&looks] { return ++looks == 3; };
  EXPECT_EQ(store().Query(query).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(looks, 3);
}

}  // namespace
}  // namespace tokenusage::testing
