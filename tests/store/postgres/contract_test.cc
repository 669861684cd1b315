// SPDX-License-Identifier: Apache-2.0

#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/store/postgres/postgres_server.h"

namespace tokenusage::testing {

INSTANTIATE_TEST_SUITE_P(Postgres, UsageStoreContract,
                         ::testing::Values(&NewPostgresStore));

}  // namespace tokenusage::testing
