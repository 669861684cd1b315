// SPDX-License-Identifier: Apache-2.0

// A store against the store in memory: the same random operations, the same
// answers.
//
//   TEST(SqliteModelTest, AnswersAsTheStoreInMemory) {
//     const std::string path = NewFolder() + "/usage.db";
//     RunModelTest([&path] { return *OpenSqliteStore(path); }, {}, 100'000);
//   }

#ifndef TOKENUSAGE_TESTS_STORE_MODEL_MODEL_TEST_H_
#define TOKENUSAGE_TESTS_STORE_MODEL_MODEL_TEST_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Opens an empty store at first, and later the same one again: a store is
// closed before the next is opened.
using OpenFunction = std::function<std::unique_ptr<UsageStore>()>;

// Runs random operations on both stores and compares every answer: appends,
// queries, lists, removals, deletions, checks, rebuilds and so on. Ends at the
// first answer that differs. The number of operations is `operations`, or
// TOKENUSAGE_MODEL_OPERATIONS in the environment; the seed is random, or
// TOKENUSAGE_TEST_SEED. Both are printed. `labels` are the rollup labels with
// which `open` opens the store at first; operations change them.
void RunModelTest(const OpenFunction& open, const RollupLabels& labels,
                  std::int64_t operations);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_MODEL_MODEL_TEST_H_
