#include "tokenusage/store/sqlite_wal_buffer.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "sqlite3.h"
#include "tests/store/sqlite_files.h"

namespace tokenusage::testing {
namespace {

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

void Execute(const Connection& connection, const std::string& sql) {
  ASSERT_EQ(
      sqlite3_exec(connection.get(), sql.c_str(), nullptr, nullptr, nullptr),
      SQLITE_OK)
      << sqlite3_errmsg(connection.get()) << ": " << sql.substr(0, 100);
}

// A connection that writes a log, with a cache of a few pages.
Connection Open(const std::string& path, const char* vfs) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
            SQLITE_OK);
  Connection connection(database);
  Execute(
      connection,
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=5;"
      "PRAGMA wal_autocheckpoint=200;"
      "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, b BLOB)");
  return connection;
}

// The calls by which this process has written so far.
std::int64_t WriteCalls() {
  std::ifstream io("/proc/self/io");
  std::string word;
  std::int64_t value = 0;
  while (io >> word >> value) {
    if (word == "syscw:") return value;
  }
  ADD_FAILURE() << "no /proc/self/io";
  return 0;
}

// Adds `pages` rows, each of which fills a page, by one commit. Returns by how
// many calls.
std::int64_t CommitPages(const Connection& connection, int pages) {
  Execute(connection, "PRAGMA cache_size=-100000; BEGIN");
  for (int i = 0; i < pages; ++i) {
    Execute(connection, "INSERT INTO t(b) VALUES(randomblob(4000))");
  }
  const std::int64_t before = WriteCalls();
  Execute(connection, "COMMIT");
  return WriteCalls() - before;
}

TEST(WalBufferTest, WritesACommitInOne) {
  const std::string folder = NewFolder();
  const Connection plain = Open(folder + "/plain.db", nullptr);
  const Connection buffered = Open(folder + "/buffered.db", WalBufferVfs());
  EXPECT_GE(CommitPages(plain, 10), 20);
  EXPECT_LE(CommitPages(buffered, 10), 1);
  // 400 KB, 64 KiB at a time.
  EXPECT_LE(CommitPages(buffered, 100), 8);
}

TEST(WalBufferTest, OthersReadWhatWasCommitted) {
  const std::string path = NewFolder() + "/usage.db";
  const Connection connection = Open(path, WalBufferVfs());
  for (int i = 1; i <= 20; ++i) {
    CommitPages(connection, 1);
    EXPECT_EQ(RunSql(path, "SELECT count(*) FROM t"), std::to_string(i));
  }
}

TEST(WalBufferTest, RefusesACommitThatCannotBeWritten) {
  const std::string path = NewFolder() + "/usage.db";
  const Connection connection = Open(path, WalBufferVfs());
  CommitPages(connection, 3);
  const auto fails = [](sqlite3* database) {
    return sqlite3_exec(database, "INSERT INTO t(b) VALUES(randomblob(90000))",
                        nullptr, nullptr, nullptr) != SQLITE_OK;
  };
  {
    const FileSizeLimit limit(std::filesystem::file_size(path + "-wal"));
    EXPECT_TRUE(fails(connection.get()));
  }
  EXPECT_EQ(RunSql(path, "SELECT count(*) FROM t"), "3");
  EXPECT_FALSE(fails(connection.get()));
  EXPECT_EQ(RunSql(path, "SELECT count(*) FROM t"), "4");
}

// Small caches write pages to the log before the commit, and read them back.
TEST(WalBufferTest, DoesWhatSqliteDoesWithoutIt) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  const std::string folder = NewFolder();
  const std::string paths[] = {folder + "/plain.db", folder + "/buffered.db"};
  Connection connections[] = {Open(paths[0], nullptr),
                              Open(paths[1], WalBufferVfs())};
  for (int round = 0; round < 300; ++round) {
    std::string sql = "BEGIN;";
    for (auto n = random() % 30; n > 0; --n) {
      const std::string id = std::to_string(random() % 500);
      sql += random() % 3 == 0
                 ? "DELETE FROM t WHERE id=" + id + ";"
                 : "INSERT OR REPLACE INTO t VALUES(" + id + ",zeroblob(" +
                       std::to_string(random() % 9000) + "));";
      if (random() % 8 == 0) sql += "SELECT sum(length(b)) FROM t;";
      if (random() % 20 == 0) sql += "SAVEPOINT s;";
      if (random() % 20 == 0) sql += "SAVEPOINT s; ROLLBACK TO s;";
    }
    sql += random() % 4 == 0 ? "ROLLBACK" : "COMMIT";
    for (const Connection& connection : connections) Execute(connection, sql);
    if (random() % 20 == 0) {
      for (const Connection& connection : connections) {
        Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
      }
    }
    if (random() % 30 == 0) {  // what is there when nothing was closed well
      connections[1] = nullptr;
      connections[1] = Open(paths[1], WalBufferVfs());
    }
    const std::string content =
        "SELECT group_concat(id || ':' || length(b)) FROM t";
    ASSERT_EQ(RunSql(paths[1], content), RunSql(paths[0], content));
  }
  EXPECT_EQ(RunSql(paths[1], "PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace tokenusage::testing
