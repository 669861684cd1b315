// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/model_test.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

TEST(SqliteModelTest, AnswersAsTheStoreInMemory) {
  const std::string path = NewFolder() + "/usage.db";
  const auto open = [&path]() -> std::unique_ptr<UsageStore> {
    auto store = OpenSqliteStore(path);
    return store.ok() ? *std::move(store) : nullptr;
  };
  RunModelTest(open, 100'000);
}

}  // namespace
}  // namespace tokenusage::testing
