// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/arena_blocks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/base/config.h"
#include "google/protobuf/arena.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

// Protobuf keeps a list at a block's end. A size that is not aligned would
// misalign it: undefined behaviour, even if nothing fails here.
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
  ::google::protobuf::Arena arena(ReusingArena(32 << 10));
  return reinterpret_cast<std::uintptr_t>(
      ::google::protobuf::Arena::CreateArray<char>(&arena, 8));
}

TEST(ArenaBlocksTest, ABlockIsUsedAgain) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "AddressSanitizer is given each block back";
#endif
  const std::uintptr_t first = FirstAddress();
  // Takes the block's memory if the arena has returned it to the heap.
  void* const other = ::operator new(64 << 10);
  EXPECT_EQ(FirstAddress(), first);
  ::operator delete(other);
}

}  // namespace
}  // namespace tokenusage
