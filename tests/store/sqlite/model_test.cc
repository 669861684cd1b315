// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/model_test.h"

#include <cstdint>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

// Runs the model test with this SqliteStoreOptions::max_unfolded.
void RunSqliteModelTest(const RollupLabels& labels, std::int64_t max_unfolded,
                        std::int64_t operations) {
  const std::string path = NewFolder() + "/usage.db";
  SqliteStoreOptions options;
  options.max_unfolded = max_unfolded;
  options.rollups.labels = labels;
  const auto open = [&]() -> std::unique_ptr<UsageStore> {
    auto store = OpenSqliteStore(path, options);
    options.rollups.labels.reset();  // they may change from now on
    return store.ok() ? *std::move(store) : nullptr;
  };
  RunModelTest(open, labels, operations);
}

TEST(SqliteModelTest, AnswersAsTheStoreInMemory) {
  RunSqliteModelTest({}, 1'000'000, 60'000);
}

TEST(SqliteModelTest, AnswersByLabelAsTheStoreInMemory) {
  RunSqliteModelTest({"env", "team"}, 5'000, 20'000);
  RunSqliteModelTest({"team"}, 1, 20'000);
}

}  // namespace
}  // namespace tokenusage::testing
