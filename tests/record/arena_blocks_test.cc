#include "tokenusage/record/arena_blocks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "google/protobuf/arena.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

// Protobuf keeps a list at a block's end, which a size that is not aligned
// puts at an odd place: no fault here, but undefined.
TEST(ArenaBlocksTest, BlocksEndWhereAnythingMayStand) {
  for (std::size_t expected = 0; expected < 40'000; ++expected) {
    const auto options = ReusingArena(expected);
    ASSERT_EQ(options.start_block_size % alignof(std::max_align_t), 0)
        << expected;
    ASSERT_GE(options.start_block_size,
              std::min<std::size_t>(expected, 64 << 10));
  }
}

std::uintptr_t FirstAddress() {
  google::protobuf::Arena arena(ReusingArena(32 << 10));
  return reinterpret_cast<std::uintptr_t>(
      google::protobuf::Arena::CreateArray<char>(&arena, 8));
}

TEST(ArenaBlocksTest, ABlockIsUsedAgain) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer is given each block back";
#endif
  EXPECT_EQ(FirstAddress(), FirstAddress());
}

TEST(ArenaBlocksTest, WhatHasADestructorIsAlignedAndDestroyed) {
  google::protobuf::Arena arena(ReusingArena(1025));
  for (int i = 0; i < 1000; ++i) {
    auto* text = google::protobuf::Arena::Create<std::string>(&arena, 200, 'a');
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(text) % alignof(std::string), 0);
  }
}

}  // namespace
}  // namespace tokenusage
