// SPDX-License-Identifier: Apache-2.0

// A PostgreSQL server of a test's own.
//
//   const std::string url = SharedPostgresServer().NewDatabase();

#ifndef TOKENUSAGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_
#define TOKENUSAGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_

#include <memory>
#include <string>

#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Every function aborts on failure.
class PostgresServer {
 public:
  // A new server, and a new standby of one that runs. Neither runs yet.
  static std::unique_ptr<PostgresServer> Create();
  std::unique_ptr<PostgresServer> CreateStandby() const;
  // Stops and removes it.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void Start() { Run("start"); }
  void Stop() { Run("stop"); }
  // All processes end at once, as when the machine does.
  void Kill() { Run("kill"); }

  // A new database without tables; its URL.
  std::string NewEmptyDatabase();
  // One with the tables.
  std::string NewDatabase();

  // The URL of a database.
  std::string Url(const std::string& database) const;

  const std::string& folder() const { return folder_; }
  int port() const { return port_; }

 private:
  explicit PostgresServer(const std::string& folder_and_port);
  void Run(const std::string& what);

  std::string folder_;
  int port_ = 0;
  int databases_ = 0;
};

// One that runs until the test program ends.
PostgresServer& SharedPostgresServer();

// A store in a new database of the shared server.
std::unique_ptr<UsageStore> NewPostgresStore();

// Runs SQL on a database. Returns the first column of the first row.
std::string RunPostgresSql(const std::string& url, const std::string& sql);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_
