// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/model_test.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tokenusage/store/postgres/store.h"

namespace tokenusage::testing {
namespace {

TEST(PostgresModelTest, AnswersAsTheStoreInMemory) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const auto open = [&url]() -> std::unique_ptr<UsageStore> {
    auto store = OpenPostgresStore(url);
    return store.ok() ? *std::move(store) : nullptr;
  };
  RunModelTest(open, 3000);
}

}  // namespace
}  // namespace tokenusage::testing
