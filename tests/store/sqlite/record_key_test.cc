// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/record_key.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage::testing {
namespace {

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

// Returns a random id that is a UUID, or near to one.
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
  std::mt19937_64 random(TestSeed());
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

}  // namespace
}  // namespace tokenusage::testing
