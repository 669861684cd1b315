// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/arena_blocks.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>

#include "absl/base/config.h"

namespace tokenusage {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;
constexpr std::size_t kMinBlockBytes = 1024;
constexpr std::size_t kMaxSmallBytes = 16 << 10;

// Protobuf 3.21 allocates downwards from a block's end, too, which must be
// aligned.
constexpr std::size_t kAlignment = alignof(std::max_align_t);

std::size_t AlignUp(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

// AddressSanitizer finds uses after free only in blocks that are deleted.
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr int kMaxKept = 0;
#else
constexpr int kMaxKept = 256;
#endif

// Free blocks of kBlockBytes, each with a pointer to the next.
class BlockPool {
 public:
  void* Take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (first_ != nullptr) {
        Link* const taken = first_;
        first_ = taken->next;
        --kept_;
        return taken;
      }
    }
    return ::operator new(kBlockBytes);
  }

  void Give(void* block) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (kept_ < kMaxKept) {
        first_ = new (block) Link{first_};
        ++kept_;
        return;
      }
    }
    ::operator delete(block);
  }

 private:
  struct Link {
    Link* next;
  };

  std::mutex mutex_;
  Link* first_ = nullptr;
  int kept_ = 0;
};

BlockPool& Pool() {
  static auto* const pool = new BlockPool;
  return *pool;
}

void* AllocateBlock(std::size_t size) {
  return size == kBlockBytes ? Pool().Take() : ::operator new(size);
}

void DeallocateBlock(void* block, std::size_t size) {
  if (size == kBlockBytes) {
    Pool().Give(block);
  } else {
    ::operator delete(block);
  }
}

}  // namespace

::google::protobuf::ArenaOptions ReusingArena(std::size_t expected_bytes) {
  ::google::protobuf::ArenaOptions options;
  options.max_block_size = kBlockBytes;
  options.start_block_size =
      expected_bytes > kMaxSmallBytes
          ? kBlockBytes
          : AlignUp(std::clamp(expected_bytes, kMinBlockBytes, kMaxSmallBytes));
  options.block_alloc = &AllocateBlock;
  options.block_dealloc = &DeallocateBlock;
  return options;
}

}  // namespace tokenusage
