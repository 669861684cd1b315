// SPDX-License-Identifier: Apache-2.0

// The parts of the SQLite store that stand alone.

#include <cstdint>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/numeric/int128.h"
#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/time_buckets.h"
#include "tokenusage/store/sqlite/amount_blob.h"
#include "tokenusage/store/sqlite/record_key.h"

namespace tokenusage::testing {
namespace {

TEST(AmountBlobTest, IsBigEndianTwosComplement) {
  const auto encode = [](absl::int128 nanos) {
    const AmountBlob blob = EncodeAmount(TokenAmount::FromNanos(nanos));
    return std::string(blob.data(), blob.size());
  };
  EXPECT_EQ(encode(0), std::string(16, '\0'));
  EXPECT_EQ(encode(0x0102), std::string(14, '\0') + "\x01\x02");
  EXPECT_EQ(encode(-1), std::string(16, '\xff'));
  for (const absl::int128 nanos :
       {absl::int128(0), absl::int128(8105750000000), absl::Int128Max(),
        absl::Int128Min(), absl::int128(-5)}) {
    EXPECT_EQ(DecodeAmount(encode(nanos)), TokenAmount::FromNanos(nanos));
  }
  EXPECT_EQ(DecodeAmount(""), std::nullopt);
  EXPECT_EQ(DecodeAmount(std::string(15, 'x')), std::nullopt);
  EXPECT_EQ(DecodeAmount(std::string(17, 'x')), std::nullopt);
}

constexpr char kUuid[] = "01982f7c-7b3a-7000-8000-00000000002a";

TEST(RecordKeyTest, OnlyCanonicalUuidsAreBlobs) {
  EXPECT_TRUE(ToRecordKey(kUuid).is_blob);
  EXPECT_EQ(
      ToRecordKey(kUuid).bytes,
      std::string("\x01\x98\x2f\x7c\x7b\x3a\x70\x00\x80\0\0\0\0\0\0\x2a", 16));
  for (const char* id : {"01982F7C-7B3A-7000-8000-00000000002A",
                         "01982f7c-7b3a-7000-8000-00000000002",
                         "01982f7c-7b3a-7000-8000-00000000002aa",
                         "01982f7c07b3a-7000-8000-00000000002a",
                         "01982f7c-7b3a-7000-8000-0000000000-a",
                         "01982f7c7b3a7000800000000000002a", "a", ""}) {
    EXPECT_FALSE(ToRecordKey(id).is_blob) << id;
    EXPECT_EQ(ToRecordKey(id).bytes, id);
    EXPECT_EQ(RecordIdOf(ToRecordKey(id)), id);
  }
  EXPECT_EQ(RecordIdOf(ToRecordKey(kUuid)), kUuid);
}

TEST(RecordKeyTest, FindsTheFirstBlobAfterAText) {
  const auto after = [](std::string_view id) {
    const auto blob = FirstBlobAfter(id);
    return blob ? RecordIdOf({true, *blob}) : "none";
  };
  EXPECT_EQ(after(""), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(after("0"), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(after("A"), "a0000000-0000-0000-0000-000000000000");
  EXPECT_EQ(after("9f~"), "a0000000-0000-0000-0000-000000000000");
  EXPECT_EQ(after(kUuid), "01982f7c-7b3a-7000-8000-00000000002b");
  EXPECT_EQ(after(std::string(kUuid) + "x"),
            "01982f7c-7b3a-7000-8000-00000000002b");
  EXPECT_EQ(after("01982f7c."), "01982f7d-0000-0000-0000-000000000000");
  EXPECT_EQ(after("ffffffff-ffff-ffff-ffff-fffffffffffe"),
            "ffffffff-ffff-ffff-ffff-ffffffffffff");
  EXPECT_EQ(after("ffffffff-ffff-ffff-ffff-ffffffffffff"), "none");
  EXPECT_EQ(after("g"), "none");
}

// A random id that is a UUID, or near to one.
std::string RandomId(std::mt19937_64* random) {
  const auto pick = [random](std::string_view set) {
    return set[(*random)() % set.size()];
  };
  std::string id;
  for (std::size_t place = 0; place < 36; ++place) {
    const bool dash = place == 8 || place == 13 || place == 18 || place == 23;
    id += dash ? '-' : pick("0f");
  }
  for (std::uint64_t n = (*random)() % 3; n > 0; --n) {
    id[(*random)() % id.size()] = pick("-.09:AZ_afgz~");
  }
  if ((*random)() % 4 == 0) id.resize(1 + (*random)() % 36);
  if ((*random)() % 4 == 0) id += pick("-.0f~");
  return id;
}

TEST(RecordKeyTest, TheFirstBlobAfterATextIsTheLeastOne) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100000; ++i) {
    const std::string text = RandomId(&random);
    const std::optional<std::string> blob = FirstBlobAfter(text);
    if (blob) {
      ASSERT_GT(RecordIdOf({true, *blob}), text);
    }
    // No UUID lies between the two.
    const std::string other = RandomId(&random);
    if (!ToRecordKey(other).is_blob || other <= text) continue;
    ASSERT_TRUE(blob.has_value()) << text << " " << other;
    ASSERT_LE(RecordIdOf({true, *blob}), other) << text;
  }
}

// The plan as text: sources and window lengths in minutes.
std::string PlanText(const UsageQuery& query, std::int64_t start_nanos) {
  std::string text;
  std::int64_t expected_start = start_nanos;
  for (const QuerySegment& segment : PlanQuery(query, start_nanos)) {
    EXPECT_EQ(segment.window.start_nanos, expected_start);
    expected_start = segment.window.end_nanos;
    const char* const names[] = {"records", "quarters", "hours"};
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
            "records:8 quarters:45 hours:540 quarters:45 records:8 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:45:00Z", "2026-08-01T02:00:00Z")),
            "quarters:15 hours:60 ");
  EXPECT_EQ(PlanText(QueryOf("2026-08-01T00:20:00Z", "2026-08-01T00:50:00Z")),
            "records:10 quarters:15 records:5 ");
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
            "quarters:2880 ");
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
         PlanQuery(query, query.window.start_nanos)) {
      ASSERT_NE(segment.source, QuerySegment::Source::kRecords) << zone;
      const std::int64_t cell = segment.source == QuerySegment::Source::kHours
                                    ? kNanosPerHour
                                    : kNanosPerQuarter;
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

}  // namespace
}  // namespace tokenusage::testing
