// SPDX-License-Identifier: Apache-2.0

// Arenas that reuse memory.
//
//   ::google::protobuf::Arena arena(ReusingArena(request_bytes));
//
// A report of a thousand records takes half a megabyte. Returning its pages to
// the system and fetching them again would take a tenth of the call's time.

#ifndef TOKENUSAGE_RECORD_ARENA_BLOCKS_H_
#define TOKENUSAGE_RECORD_ARENA_BLOCKS_H_

#include <cstddef>

#include "google/protobuf/arena.h"

namespace tokenusage {

// Returns options for an arena that will hold about `expected_bytes`. Its
// blocks of 64 KiB come from a pool of this process, which keeps at most 16 MiB
// of free blocks. If `expected_bytes` is more than 16 KiB, the first block is
// one of these. Thread-safe.
::google::protobuf::ArenaOptions ReusingArena(std::size_t expected_bytes);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_ARENA_BLOCKS_H_
