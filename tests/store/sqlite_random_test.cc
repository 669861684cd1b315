// The SQLite store against the store in memory: the same random appends and
// questions, the same answers.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/record/records.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite_files.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage::testing {
namespace {

class RandomUsage {
 public:
  explicit RandomUsage(unsigned seed) : random_(seed) {
    std::cout << "seed " << seed << std::endl;
  }

  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() %
                                     static_cast<std::uint64_t>(limit));
  }

  // From few times, so that some are equal, and often at the edge of a cell.
  std::int64_t Time() {
    static const std::int64_t start = Nanos("2026-03-27T00:00:00Z");
    constexpr std::int64_t kMinute = 60'000'000'000;
    const std::int64_t minute = start + Below(6 * 24 * 4) * 15 * kMinute;
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

  std::string Id() {
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

  std::string Name() { return std::string(1, "abc"[Below(3)]); }

  double Count() {
    switch (Below(3)) {
      case 0:
        return static_cast<double>(Below(1000));
      case 1:
        return static_cast<double>(Below(10'000'000)) / 100;
      default:
        return static_cast<double>(Below(1'000'000'000'000)) / 7;
    }
  }

  v1::UsageRecord Record() {
    v1::UsageRecord record = ValidRecord(Id(), Time());
    record.set_operation(Name());
    record.set_provider(Below(2) == 0 ? "" : Name());
    record.set_model(Name());
    if (Below(2) == 0) (*record.mutable_labels())["team"] = Name();
    if (Below(4) == 0) (*record.mutable_labels())["env"] = "";
    auto* usage = record.mutable_images_variations();
    usage->set_total_tokens(Count());
    usage->set_input_tokens(Count());
    usage->set_output_tokens(Count());
    usage->mutable_input_tokens_details()->set_text_tokens(Count());
    usage->mutable_input_tokens_details()->set_image_tokens(Count());
    return record;
  }

  // Some of them twice, changed or not.
  std::vector<v1::UsageRecord> Batch() {
    std::vector<v1::UsageRecord> records;
    for (std::int64_t n = Below(60); n >= 0; --n) {
      records.push_back(Record());
      if (Below(5) == 0) records.push_back(records.back());
      if (Below(20) == 0) records.back().set_model(Name());
    }
    return records;
  }

  TimeWindow Window() {
    std::int64_t start = Time();
    std::int64_t end = Time();
    if (start > end) std::swap(start, end);
    return {start, end + 1};
  }

  UsageField Field() {
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

  UsageQuery Query() {
    const char* const kZones[] = {"UTC", "Europe/Berlin", "Asia/Kolkata",
                                  "Asia/Kathmandu", "Australia/Lord_Howe"};
    UsageQuery query =
        QueryOf("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
                static_cast<v1::TimeBucket>(Below(7)), kZones[Below(5)]);
    query.window = Window();
    for (std::int64_t n = Below(3); n > 0; --n) {
      query.group_by.push_back(Field());
    }
    for (std::int64_t n = Below(3); n > 0; --n) {
      UsageFieldFilter filter{Field(), {Name(), Name()}, false};
      filter.match_missing =
          filter.field.kind == UsageField::Kind::kLabel && Below(2) == 0;
      if (Below(4) == 0) filter.values.emplace_back();
      query.filters.push_back(std::move(filter));
    }
    query.page_size = static_cast<int>(1 + Below(40));
    return query;
  }

 private:
  std::mt19937_64 random_;
};

TEST(SqliteRandomTest, AnswersAsTheStoreInMemory) {
  RandomUsage random(std::random_device{}());
  const std::unique_ptr<UsageStore> memory = NewMemoryStore();
  const std::unique_ptr<UsageStore> sqlite = NewSqliteStore();
  for (int round = 0; round < 40; ++round) {
    const std::vector<v1::UsageRecord> batch = random.Batch();
    ASSERT_EQ(memory->Append("p", CheckedOf(batch)).value(),
              sqlite->Append("p", CheckedOf(batch)).value());
    for (int i = 0; i < 12; ++i) {
      const UsageQuery query = random.Query();
      ASSERT_EQ(AllRowTexts(memory.get(), query),
                AllRowTexts(sqlite.get(), query));
    }
    RecordQuery list;
    list.project = "p";
    list.window = random.Window();
    list.page_size = static_cast<int>(1 + random.Below(50));
    ASSERT_EQ(AllIds(memory.get(), list), AllIds(sqlite.get(), list));
    const v1::UsageRecord& record = batch.front();
    ASSERT_TRUE(
        SameContent(memory->GetRecord("p", record.record_id()).value(),
                    sqlite->GetRecord("p", record.record_id()).value()));
  }
}

}  // namespace
}  // namespace tokenusage::testing
