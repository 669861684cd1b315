// SPDX-License-Identifier: Apache-2.0

// A store in memory, for tests, and the reference that the other stores are
// compared with. Its records are lost when it is destroyed.

#ifndef TOKENUSAGE_STORE_MEMORY_STORE_H_
#define TOKENUSAGE_STORE_MEMORY_STORE_H_

#include <memory>

#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Returns a new, empty store. It sums the records one by one, without rollups,
// so that it shares no mistake with the other stores.
std::unique_ptr<UsageStore> NewMemoryStore(const RollupOptions& options = {});

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_MEMORY_STORE_H_
