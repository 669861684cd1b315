// What every UsageStore must do. A test of a store instantiates this suite:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, UsageStoreContract,
//                            ::testing::Values(&NewMemoryStore));
//
// and links //tests/store:usage_store_contract.

#ifndef TOKENUSAGE_TESTS_STORE_USAGE_STORE_CONTRACT_H_
#define TOKENUSAGE_TESTS_STORE_USAGE_STORE_CONTRACT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Makes an empty store.
using StoreFactory = std::unique_ptr<UsageStore> (*)();

// A query of project "p" for a window in RFC 3339.
UsageQuery QueryOf(std::string_view start, std::string_view end,
                   v1::TimeBucket bucket = v1::TIME_BUCKET_NONE,
                   const std::string& time_zone = "UTC");

// The same for records.
RecordQuery RecordQueryOf(std::string_view start, std::string_view end);

UsageField LabelField(std::string key);

// A record of `tokens` total tokens, and none of the other kinds.
v1::UsageRecord RecordAt(std::string_view id, std::string_view time,
                         double tokens);

// A row as text: "start/end [group] count total".
std::string RowText(const UsageQueryRow& row);
std::vector<std::string> RowTexts(const UsageQueryPage& page);

// All rows of a query, read page by page.
std::vector<std::string> AllRowTexts(UsageStore* store, UsageQuery query);

// The ids of all records, read page by page.
std::vector<std::string> AllIds(UsageStore* store, RecordQuery query);

class UsageStoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  UsageStoreContract() : store_(GetParam()()) {}

  UsageStore& store() { return *store_; }

  // Appends one batch to project "p" and returns its outcomes.
  std::vector<AppendOutcome> Append(std::vector<v1::UsageRecord> records);
  AppendOutcome AppendOne(v1::UsageRecord record);

  std::vector<std::string> Rows(const UsageQuery& query) {
    return AllRowTexts(store_.get(), query);
  }

 private:
  std::unique_ptr<UsageStore> store_;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_USAGE_STORE_CONTRACT_H_
