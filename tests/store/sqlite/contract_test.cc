// SPDX-License-Identifier: Apache-2.0

#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/store/sqlite/sqlite_files.h"

namespace tokenusage::testing {

INSTANTIATE_TEST_SUITE_P(Sqlite, UsageStoreContract,
                         ::testing::Values(&NewSqliteStore,
                                           &NewFoldingSqliteStore));

}  // namespace tokenusage::testing
