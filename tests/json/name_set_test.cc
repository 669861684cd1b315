#include "tokenusage/json/name_set.h"

#include <string>

#include "gtest/gtest.h"

namespace tokenusage {
namespace json_internal {
namespace {

TEST(SipHashTest, MatchesThePublishedVectors) {
  // Key 00 01 .. 0f and input 00 01 .. of each length, from the reference
  // implementation's table.
  const std::uint64_t key0 = 0x0706050403020100;
  const std::uint64_t key1 = 0x0f0e0d0c0b0a0908;
  std::string input;
  for (char c = 0; c < 15; ++c) input.push_back(c);
  EXPECT_EQ(SipHash(key0, key1, ""), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(SipHash(key0, key1, input.substr(0, 1)), 0x74f839c593dc67fdU);
  EXPECT_EQ(SipHash(key0, key1, input.substr(0, 8)), 0x93f5f5799a932462U);
  EXPECT_EQ(SipHash(key0, key1, input), 0xa129ca6149be45e5U);
}

TEST(NameSetTest, FindsDuplicates) {
  NameSet names;
  EXPECT_TRUE(names.Insert("a", true));
  EXPECT_TRUE(names.Insert("", true));
  EXPECT_FALSE(names.Insert("a", true));
  EXPECT_FALSE(names.Insert("", false));
}

TEST(NameSetTest, CopiesWhatDoesNotOutliveIt) {
  NameSet names;
  std::string buffer;
  for (int i = 0; i < 10000; ++i) {
    buffer = std::to_string(i);
    ASSERT_TRUE(names.Insert(buffer, false)) << i;
  }
  for (int i = 0; i < 10000; ++i) {
    buffer = std::to_string(i);
    ASSERT_FALSE(names.Insert(buffer, i % 2 == 0)) << i;
  }
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
