// SPDX-License-Identifier: Apache-2.0

#ifndef TOKENUSAGE_TESTS_CLIENT_SUPPORT_STORED_IDS_H_
#define TOKENUSAGE_TESTS_CLIENT_SUPPORT_STORED_IDS_H_

#include <set>
#include <string>

#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Returns the ids of all records of the project "demo", and checks that none is
// there twice.
std::set<std::string> StoredIds(UsageStore* store);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_CLIENT_SUPPORT_STORED_IDS_H_
