// SPDX-License-Identifier: Apache-2.0

#include "tests/store/model/model_test.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tokenusage/store/postgres/store.h"

namespace tokenusage::testing {
namespace {

void RunPostgresModelTest(const RollupLabels& labels) {
  const std::string url = SharedPostgresServer().NewDatabase();
  PostgresStoreOptions options;
  options.rollups.labels = labels;
  const auto open = [&]() -> std::unique_ptr<UsageStore> {
    auto store = OpenPostgresStore(url, options);
    options.rollups.labels.reset();  // they may change from now on
    return store.ok() ? *std::move(store) : nullptr;
  };
  RunModelTest(open, labels, 2000);
}

TEST(PostgresModelTest, AnswersAsTheStoreInMemory) { RunPostgresModelTest({}); }

TEST(PostgresModelTest, AnswersByLabelAsTheStoreInMemory) {
  RunPostgresModelTest({"env", "team"});
}

}  // namespace
}  // namespace tokenusage::testing
