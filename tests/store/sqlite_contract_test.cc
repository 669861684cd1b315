// SPDX-License-Identifier: Apache-2.0

#include "gtest/gtest.h"
#include "tests/store/sqlite_files.h"
#include "tests/store/usage_store_contract.h"

namespace tokenusage::testing {

INSTANTIATE_TEST_SUITE_P(Sqlite, UsageStoreContract,
                         ::testing::Values(&NewSqliteStore));

}  // namespace tokenusage::testing
