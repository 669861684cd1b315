// SPDX-License-Identifier: Apache-2.0

// Tests what every UsageStore must do. A test of a store instantiates this
// suite:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, UsageStoreContract,
//                            ::testing::Values(&NewMemoryStore));
//
// and links //tests/store/contract:usage_store_contract.

#ifndef TOKENUSAGE_TESTS_STORE_CONTRACT_USAGE_STORE_CONTRACT_H_
#define TOKENUSAGE_TESTS_STORE_CONTRACT_USAGE_STORE_CONTRACT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Makes an empty store.
using StoreFactory = std::unique_ptr<UsageStore> (*)(const RollupOptions&);

class UsageStoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  UsageStoreContract() : store_(GetParam()({})) {}

  // Continues with another store, which is empty.
  void Open(const RollupOptions& options) {
    store_.reset();
    store_ = GetParam()(options);
  }
  void OpenWithLabels(std::string_view labels) {
    RollupOptions options;
    options.labels = ParseRollupLabels(labels).value();
    Open(options);
  }

  UsageStore& store() { return *store_; }
  StoreMaintenance& maintenance() { return *store_->maintenance(); }

  // Appends one batch to project "p" and returns its outcomes.
  std::vector<AppendOutcome> Append(
      const std::vector<v1::UsageRecord>& records);
  AppendOutcome AppendOne(v1::UsageRecord record);

  std::vector<std::string> Rows(const UsageQuery& query) {
    return AllRowTexts(store_.get(), query);
  }

 private:
  std::unique_ptr<UsageStore> store_;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_CONTRACT_USAGE_STORE_CONTRACT_H_
