// SPDX-License-Identifier: Apache-2.0

// The least that a durable store can do behind this service: what bounds ours.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_GROUP_STORE_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_GROUP_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tokenusage/store/usage_store.h"

namespace tokenusage::load {

// Keeps what it gets; to return is to say that it is durable.
using GroupWriter = std::function<void(
    const std::vector<std::shared_ptr<const CheckedBatch>>&)>;

// Group commit and nothing else: one thread gives all that waits to `write`,
// then answers every batch that all of it is new. Nothing can be read.
std::unique_ptr<UsageStore> NewGroupStore(GroupWriter write);

// Appends the records' binary form to a file, by one write and one fdatasync a
// group. Like a write-ahead log it starts at the front again, at 40 MB. Aborts
// where that fails.
GroupWriter NewLogWriter(const std::string& path);

// A BareWriter (bare_sqlite.h), a commit a group.
GroupWriter NewBareSqliteWriter(const std::string& path);

// Both: a group is durable by the log, and a thread of its own brings it to
// SQLite, some thousand records a commit. What a store would need beside that
// is left out: finding duplicates and starting again.
GroupWriter NewLogAheadWriter(const std::string& path);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_GROUP_STORE_H_
