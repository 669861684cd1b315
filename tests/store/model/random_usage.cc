// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/random_usage.h"

#include <algorithm>
#include <utility>

#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/seed.h"

namespace tokenusage::testing {

RandomUsage::RandomUsage()
    : random_(TestSeed()), start_nanos_(Nanos("2026-03-27T00:00:00Z")) {}

std::int64_t RandomUsage::Below(std::int64_t limit) {
  return static_cast<std::int64_t>(random_() %
                                   static_cast<std::uint64_t>(limit));
}

std::int64_t RandomUsage::Time() {
  constexpr std::int64_t kMinute = 60'000'000'000;
  const std::int64_t minute = start_nanos_ + Below(6 * 24 * 4) * 15 * kMinute;
  switch (Below(4)) {
    case 0:
      return minute;
    case 1:
      return minute - 1;
    case 2:
      return minute + Below(15) * kMinute;
    default:
      return minute + Below(15 * kMinute);
  }
}

std::string RandomUsage::Id() {
  const std::string n = std::to_string(100 + Below(400));
  switch (Below(4)) {
    case 0:
      return "01982f7c-7b3a-7000-8000-000000000" + n;
    case 1:
      return "01982F7C-7B3A-7000-8000-000000000" + n;
    case 2:
      return n + "82f7c-7b3a-7000-8000-000000000" + n;
    default:
      return "0198-" + n;
  }
}

std::string RandomUsage::Name() { return std::string(1, "abc"[Below(3)]); }

double RandomUsage::Count() {
  switch (Below(4)) {
    case 0:
      return static_cast<double>(Below(1000));
    case 1:
      return static_cast<double>(Below(1'000'000)) / 1e12;
    case 2:
      return static_cast<double>(Below(10'000'000)) / 100;
    default:
      return static_cast<double>(Below(1'000'000'000'000)) / 7;
  }
}

void RandomUsage::SetUsage(v1::UsageRecord* record) {
  switch (Below(5)) {
    case 0: {
      auto* usage = record->mutable_orq_images_variations();
      usage->set_total_tokens(Count());
      usage->set_input_tokens(Count());
      usage->set_output_tokens(Count());
      usage->mutable_input_tokens_details()->set_text_tokens(Count());
      usage->mutable_input_tokens_details()->set_image_tokens(Count());
      break;
    }
    case 1: {
      auto* usage = record->mutable_openai_chat();
      usage->set_prompt_tokens(1000 + Below(1000));
      usage->set_completion_tokens(Below(1000));
      usage->set_total_tokens(usage->prompt_tokens() +
                              usage->completion_tokens());
      if (Below(2) == 0) {
        usage->mutable_prompt_tokens_details()->set_cached_tokens(Below(1500));
      }
      break;
    }
    case 2:
      record->mutable_usage_unknown()->set_reason(
          static_cast<v1::UnknownUsageReason>(1 + Below(4)));
      break;
    default: {
      auto* usage = record->mutable_token_usage();
      const auto& fields = *v1::TokenUsage::descriptor();
      for (std::int64_t n = Below(12); n > 0; --n) {
        usage->GetReflection()->SetDouble(
            usage, fields.field(static_cast<int>(Below(fields.field_count()))),
            Count());
      }
    }
  }
}

v1::UsageRecord RandomUsage::Record() {
  v1::UsageRecord record = ValidRecord(Id(), Time());
  record.set_operation(Name());
  record.set_provider(Below(2) == 0 ? "" : Name());
  record.set_model(Name());
  if (Below(2) == 0) (*record.mutable_labels())["team"] = Name();
  if (Below(4) == 0) (*record.mutable_labels())["env"] = "";
  SetUsage(&record);
  if (Below(4) == 0) Correct(Id(), &record);
  return record;
}

void RandomUsage::Correct(const std::string& id, v1::UsageRecord* record) {
  if (id == record->record_id()) return;
  record->set_corrects(id);
  if (Below(2) == 0) record->clear_usage();
}

std::vector<v1::UsageRecord> RandomUsage::Batch() {
  std::vector<v1::UsageRecord> records;
  for (std::int64_t n = Below(Below(10) == 0 ? 60 : 6); n >= 0; --n) {
    records.push_back(Record());
    if (records.size() > 1 && Below(10) == 0) {
      Correct(records[records.size() - 2].record_id(), &records.back());
    }
    if (Below(5) == 0) records.push_back(records.back());
    if (Below(20) == 0) records.back().set_model(Name());
  }
  return records;
}

TimeWindow RandomUsage::Window() {
  std::int64_t start = Time();
  std::int64_t end = Time();
  if (start > end) std::swap(start, end);
  return {start, end + 1};
}

UsageField RandomUsage::Field() {
  switch (Below(5)) {
    case 0:
      return {UsageField::Kind::kOperation, ""};
    case 1:
      return {UsageField::Kind::kProvider, ""};
    case 2:
      return {UsageField::Kind::kModel, ""};
    case 3:
      return LabelField("team");
    default:
      return LabelField("env");
  }
}

std::vector<UsageFieldFilter> RandomUsage::Filters() {
  std::vector<UsageFieldFilter> filters;
  for (std::int64_t n = Below(3); n > 0; --n) {
    UsageFieldFilter filter{Field(), {Name(), Name()}, false};
    filter.match_missing =
        filter.field.kind == UsageField::Kind::kLabel && Below(2) == 0;
    if (Below(4) == 0) filter.values.emplace_back();
    const auto is_same_field = [&filter](const UsageFieldFilter& other) {
      return other.field.kind == filter.field.kind &&
             other.field.label_key == filter.field.label_key;
    };
    if (std::none_of(filters.begin(), filters.end(), is_same_field)) {
      filters.push_back(std::move(filter));
    }
  }
  return filters;
}

UsageQuery RandomUsage::Query() {
  const char* const kZones[] = {"UTC", "Europe/Berlin", "Asia/Kolkata",
                                "Asia/Kathmandu", "Australia/Lord_Howe"};
  UsageQuery query =
      QueryOf("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
              static_cast<v1::TimeBucket>(Below(7)), kZones[Below(5)]);
  query.window = Window();
  for (std::int64_t n = Below(3); n > 0; --n) {
    query.group_by.push_back(Field());
  }
  if (Below(4) == 0) {
    query.group_by.push_back({UsageField::Kind::kProject, ""});
  }
  query.filters = Filters();
  if (Below(3) == 0) {
    constexpr v1::UsageMeasure kMeasures[] = {
        v1::USAGE_MEASURE_UNSPECIFIED, v1::USAGE_MEASURE_TOTAL_TOKENS,
        v1::USAGE_MEASURE_CACHE_READ_TOKENS, v1::USAGE_MEASURE_COST_USD};
    query.order = RowOrder{kMeasures[Below(4)]};
  }
  // Often one that rollups alone can answer.
  constexpr std::int64_t kQuarterHour = 900'000'000'000;
  if (Below(2) == 0) {
    query.window.start_nanos -= query.window.start_nanos % kQuarterHour;
    query.window.end_nanos +=
        kQuarterHour - query.window.end_nanos % kQuarterHour;
  }
  // Some of these windows contain whole months of UTC.
  constexpr std::int64_t kDay = 96 * kQuarterHour;
  if (Below(3) == 0) query.window.start_nanos -= Below(60) * kDay;
  if (Below(3) == 0) query.window.end_nanos += Below(60) * kDay;
  query.page_size = static_cast<int>(1 + Below(40));
  return query;
}

}  // namespace tokenusage::testing
