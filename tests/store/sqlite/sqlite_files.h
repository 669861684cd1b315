// SPDX-License-Identifier: Apache-2.0

// Database files for tests of the SQLite store.

#ifndef TOKENUSAGE_TESTS_STORE_SQLITE_SQLITE_FILES_H_
#define TOKENUSAGE_TESTS_STORE_SQLITE_SQLITE_FILES_H_

#include <memory>
#include <string>

#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Returns a new, empty folder in the test's temporary folder.
std::string NewFolder();

// Open a store in a new file; abort on failure. The folding store brings its
// rollups by label up to date after each commit.
std::unique_ptr<UsageStore> NewSqliteStore(const RollupOptions& options = {});
std::unique_ptr<UsageStore> NewFoldingSqliteStore(const RollupOptions& options);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& content);

// Runs SQL on a database file; aborts on failure. Returns the first
// column of the first row.
std::string RunSql(const std::string& path, const std::string& sql);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_SQLITE_SQLITE_FILES_H_
