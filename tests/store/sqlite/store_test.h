// SPDX-License-Identifier: Apache-2.0

// Helpers for several tests of the SQLite store.

#ifndef TOKENUSAGE_TESTS_STORE_SQLITE_STORE_TEST_H_
#define TOKENUSAGE_TESTS_STORE_SQLITE_STORE_TEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {

inline constexpr char kNoon[] = "2026-08-01T12:00:00Z";

inline std::unique_ptr<UsageStore> Open(
    const std::string& path, const SqliteStoreOptions& options = {}) {
  auto store = OpenSqliteStore(path, options);
  EXPECT_THAT(store, IsOk());
  return store.ok() ? *std::move(store) : nullptr;
}

// Returns records PREFIX0, PREFIX1 and so on, at noon.
inline std::shared_ptr<const CheckedBatch> Records(const std::string& prefix,
                                                   int count) {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(RecordAt(prefix + std::to_string(i), kNoon, 1));
  }
  return CheckedOf(records);
}

// Returns the number of records that the totals state.
inline std::int64_t Count(UsageStore* store) {
  const auto page =
      store->Query(QueryOf("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
  EXPECT_THAT(page, IsOk());
  return page.ok() && !page->rows.empty() ? page->rows[0].sum.record_count : 0;
}

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_SQLITE_STORE_TEST_H_
