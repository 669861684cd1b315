// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/memory_store.h"

#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"

namespace tokenusage::testing {

INSTANTIATE_TEST_SUITE_P(Memory, UsageStoreContract,
                         ::testing::Values(&NewMemoryStore));

}  // namespace tokenusage::testing
