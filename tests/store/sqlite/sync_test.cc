// SPDX-License-Identifier: Apache-2.0

// Tests what has to be on disk before a call returns, by its system calls.

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/sqlite/maintenance.h"
#include "tokenusage/store/sqlite/store.h"

namespace {

// "write usage.db", "sync usage.db", "rename usage.db.new", by file name.
std::mutex events_mutex;
std::vector<std::string> events;

void Note(const char* call, const std::string& path) {
  const std::lock_guard<std::mutex> lock(events_mutex);
  events.push_back(std::string(call) + " " + path.substr(path.rfind('/') + 1));
}

void Note(const char* call, int file) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t size = readlink(link.c_str(), path, sizeof(path));
  if (size > 0) Note(call, std::string(path, static_cast<std::size_t>(size)));
}

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// These functions replace libc's, for SQLite as well.
extern "C" {

int fsync(int file) {
  Note("sync", file);
  return Next<int(int)>("fsync")(file);
}

int fdatasync(int file) {
  Note("sync", file);
  return Next<int(int)>("fdatasync")(file);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  Note("write", file);
  return Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64")(
      file, data, size, offset);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned int flags) {
  Note("rename", std::string(from));
  return Next<int(int, const char*, int, const char*, unsigned int)>(
      "renameat2")(from_folder, from, to_folder, to, flags);
}

}  // extern "C"

namespace tokenusage::testing {
namespace {

std::vector<std::string> TakeEvents() {
  const std::lock_guard<std::mutex> lock(events_mutex);
  return std::exchange(events, {});
}

// Returns the position of the last such event; -1 if there is none.
int Last(const std::vector<std::string>& all, const std::string& event) {
  const auto found = std::find(all.rbegin(), all.rend(), event);
  return static_cast<int>(all.rend() - found) - 1;
}

// Expects that the file was written, synced and renamed, and that its folder
// was then synced.
void ExpectDurable(const std::vector<std::string>& all, const std::string& file,
                   const std::string& folder) {
  const int write = Last(all, "write " + file);
  const int sync = Last(all, "sync " + file);
  const int rename = Last(all, "rename " + file);
  EXPECT_GE(write, 0);
  EXPECT_GT(sync, write);
  EXPECT_GT(rename, sync);
  EXPECT_GT(Last(all, "sync " + folder), rename);
}

std::string NameOf(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

const std::string kUnfinished = ".new-" + std::to_string(getpid());

TEST(SqliteSyncTest, ANewDatabaseIsOnDisk) {
  const std::string folder = NewFolder();
  TakeEvents();
  const auto store = OpenSqliteStore(folder + "/usage.db");
  ASSERT_THAT(store, IsOk());
  ExpectDurable(TakeEvents(), "usage.db" + kUnfinished, NameOf(folder));
}

TEST(SqliteSyncTest, ADatabaseInAnEmptyFileIsOnDisk) {
  const std::string path = NewFolder() + "/usage.db";
  WriteFile(path, "");
  TakeEvents();
  const auto store = OpenSqliteStore(path);
  ASSERT_THAT(store, IsOk());
  const auto all = TakeEvents();
  // The tables, and later the switch to WAL mode.
  EXPECT_GE(std::count(all.begin(), all.end(), "sync usage.db"), 2);
  EXPECT_GT(Last(all, "sync usage.db"), Last(all, "write usage.db"));
}

TEST(SqliteSyncTest, AnAppendIsOnDisk) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = OpenSqliteStore(path).value();
  TakeEvents();
  store->Append("p", CheckedOf({RecordAt("a", "2026-08-01T12:00:00Z", 1)}))
      .value();
  const auto all = TakeEvents();
  EXPECT_GE(Last(all, "write usage.db-wal"), 0);
  EXPECT_GT(Last(all, "sync usage.db-wal"), Last(all, "write usage.db-wal"));
}

TEST(SqliteSyncTest, ABackupIsOnDiskBeforeItHasItsName) {
  const std::string path = NewFolder() + "/usage.db";
  OpenSqliteStore(path)
      .value()
      ->Append("p", CheckedOf({RecordAt("a", "2026-08-01T12:00:00Z", 1)}))
      .value();
  const std::string folder = NewFolder();
  TakeEvents();
  ASSERT_THAT(BackupSqliteDatabase(path, folder + "/copy.db"), IsOk());
  ExpectDurable(TakeEvents(), "copy.db" + kUnfinished, NameOf(folder));
}

}  // namespace
}  // namespace tokenusage::testing
