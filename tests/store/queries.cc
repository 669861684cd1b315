// SPDX-License-Identifier: Apache-2.0

#include "tests/store/queries.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"

namespace tokenusage::testing {
namespace {

std::string TimeText(std::int64_t nanos) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixNanos(nanos),
                          absl::UTCTimeZone());
}

}  // namespace

UsageQuery QueryOf(std::string_view start, std::string_view end,
                   v1::TimeBucket bucket, const std::string& time_zone) {
  UsageQuery query;
  query.projects = {"p"};
  query.window = {Nanos(start), Nanos(end)};
  query.bucket = bucket;
  EXPECT_TRUE(absl::LoadTimeZone(time_zone, &query.time_zone)) << time_zone;
  return query;
}

RecordQuery RecordQueryOf(std::string_view start, std::string_view end) {
  RecordQuery query;
  query.project = "p";
  query.window = {Nanos(start), Nanos(end)};
  return query;
}

UsageField LabelField(std::string key) {
  return {UsageField::Kind::kLabel, std::move(key)};
}

v1::UsageRecord RecordAt(std::string_view id, std::string_view time,
                         double tokens) {
  v1::UsageRecord record = ValidRecord(id, Nanos(time));
  auto* usage = record.mutable_orq_images_edits();
  usage->set_total_tokens(tokens);
  usage->set_input_tokens(tokens);
  usage->set_output_tokens(0);
  usage->mutable_input_tokens_details()->set_text_tokens(0);
  usage->mutable_input_tokens_details()->set_image_tokens(0);
  return record;
}

std::string SumText(const UsageSum& sum) {
  std::string text = absl::StrCat(
      sum.record_count, " records, ", sum.inconsistent_record_count,
      " inconsistent, ", sum.unknown_usage_record_count, " unknown");
  char separator = ';';
  sum.ForEach([&](v1::UsageMeasure measure, const MeasureSum& part) {
    absl::StrAppend(
        &text, std::string(1, separator), " ",
        std::string(
            v1::TokenUsage::descriptor()->FindFieldByNumber(measure)->name()),
        " ", part.amount.ToDecimal(), " of ", part.record_count);
    separator = ',';
  });
  return text;
}

std::string RowText(const UsageQueryRow& row) {
  std::string group;
  for (const std::optional<std::string>& value : row.key) {
    if (!group.empty()) group += ",";
    group += value ? "'" + *value + "'" : "-";
  }
  const MeasureSum* const total = row.sum.Find(v1::USAGE_MEASURE_TOTAL_TOKENS);
  return TimeText(row.bucket.start_nanos) + "/" +
         TimeText(row.bucket.end_nanos) + " [" + group + "] " +
         std::to_string(row.sum.record_count) + " " +
         (total != nullptr ? total->amount.ToDecimal() : "none");
}

std::vector<std::string> RowTexts(const UsageQueryPage& page) {
  std::vector<std::string> texts;
  for (const UsageQueryRow& row : page.rows) texts.push_back(RowText(row));
  return texts;
}

std::vector<std::string> AllRowTexts(UsageStore* store, UsageQuery query) {
  std::vector<std::string> texts;
  for (;;) {
    const absl::StatusOr<UsageQueryPage> page = store->Query(query);
    if (!page.ok()) return {page.status().ToString()};
    for (std::string& text : RowTexts(*page)) texts.push_back(std::move(text));
    if (!page->has_more) return texts;
    query.after = PositionOf(query, page->rows.back());
  }
}

std::vector<std::string> AllIds(UsageStore* store, RecordQuery query) {
  std::vector<std::string> ids;
  for (;;) {
    const absl::StatusOr<RecordPage> page = store->ListRecords(query);
    if (!page.ok()) return {page.status().ToString()};
    for (const v1::UsageRecord& record : page->records) {
      ids.push_back(record.record_id());
    }
    if (!page->has_more) return ids;
    const v1::UsageRecord& last = page->records.back();
    query.after = RecordPosition{
        last.event_time().seconds() * 1'000'000'000 + last.event_time().nanos(),
        last.record_id()};
  }
}

}  // namespace tokenusage::testing
