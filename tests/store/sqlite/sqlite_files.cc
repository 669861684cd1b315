// SPDX-License-Identifier: Apache-2.0

#include "tests/store/sqlite/sqlite_files.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {

std::string NewFolder() {
  static std::atomic<int> count{0};
  const std::string folder = ::testing::TempDir() + "store-" +
                             std::to_string(getpid()) + "-" +
                             std::to_string(++count);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  return folder;
}

namespace {

std::unique_ptr<UsageStore> Open(const SqliteStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<UsageStore>> store =
      OpenSqliteStore(NewFolder() + "/usage.db", options);
  if (!store.ok()) {
    std::cerr << store.status() << std::endl;
    std::abort();
  }
  return *std::move(store);
}

}  // namespace

std::unique_ptr<UsageStore> NewSqliteStore(const RollupOptions& options) {
  SqliteStoreOptions sqlite;
  sqlite.rollups = options;
  return Open(sqlite);
}

std::unique_ptr<UsageStore> NewFoldingSqliteStore(
    const RollupOptions& options) {
  SqliteStoreOptions sqlite;
  sqlite.rollups = options;
  sqlite.max_unfolded = 1;
  return Open(sqlite);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::string RunSql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  std::string result;
  const auto keep_first = [](void* out, int size, char** values, char**) {
    auto* text = static_cast<std::string*>(out);
    if (text->empty() && size > 0 && values[0] != nullptr) *text = values[0];
    return 0;
  };
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK ||
      sqlite3_exec(database, sql.c_str(), keep_first, &result, nullptr) !=
          SQLITE_OK) {
    std::cerr << path << ": " << sqlite3_errmsg(database) << std::endl;
    std::abort();
  }
  sqlite3_close(database);
  return result;
}

}  // namespace tokenusage::testing
