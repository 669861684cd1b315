// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/lru_cache.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace tokenusage::testing {
namespace {

TEST(LruCacheTest, DropsWhatWasUsedLeastRecently) {
  LruCache<int> cache(3);
  for (const char* key : {"a", "b", "c"}) cache.Insert(key, key[0]);
  EXPECT_EQ(*cache.Find("a"), 'a');
  EXPECT_EQ(*cache.Insert("d", 'd'), 'd');
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_EQ(*cache.Find("c"), 'c');
  cache.Insert("e", 'e');
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_NE(cache.Find("c"), nullptr);
  EXPECT_NE(cache.Find("d"), nullptr);
  EXPECT_NE(cache.Find("e"), nullptr);
  EXPECT_EQ(cache.size(), 3u);
}

TEST(LruCacheTest, ReplacesErasesAndClears) {
  LruCache<std::string> cache(2);
  cache.Insert("a", "1");
  cache.Insert("b", "2");
  EXPECT_EQ(*cache.Insert("a", "3"), "3");
  EXPECT_EQ(cache.size(), 2u);
  cache.Insert("c", "4");
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_EQ(*cache.Find("a"), "3");
  cache.Erase("a");
  cache.Erase("a");
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(*cache.Find("c"), "4");
  cache.Clear();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.Find("c"), nullptr);
}

TEST(LruCacheTest, AValueStaysWhereItIsWhileOthersComeAndGo) {
  LruCache<std::unique_ptr<int>> cache(2);
  const auto* const value = cache.Insert("kept", std::make_unique<int>(7));
  for (int i = 0; i < 100; ++i) {
    cache.Insert(std::to_string(i), nullptr);
    ASSERT_EQ(cache.Find("kept"), value);
  }
  EXPECT_EQ(**value, 7);
}

}  // namespace
}  // namespace tokenusage::testing
