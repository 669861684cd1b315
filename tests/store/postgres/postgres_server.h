// SPDX-License-Identifier: Apache-2.0

// Runs real PostgreSQL servers for tests, each with its own folder and loopback
// port.
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
  // Creates a server that is not started yet.
  static std::unique_ptr<PostgresServer> Create();

  // Creates a standby of this server, which must be running. The standby is not
  // started yet.
  std::unique_ptr<PostgresServer> CreateStandby() const;

  // Stops the server and removes its folder.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void Start() { Run("start"); }
  void Stop() { Run("stop"); }
  // Ends all processes at once without a checkpoint, so the next start recovers
  // from the log.
  void Kill() { Run("kill"); }

  // Creates a database without tables and returns its URL.
  std::string NewEmptyDatabase();
  // Creates a database with the tables of the store and returns its URL.
  std::string NewDatabase();

  // Returns the URL of a database, which need not exist.
  std::string Url(const std::string& database) const;

  const std::string& folder() const { return folder_; }
  int port() const { return port_; }

 private:
  explicit PostgresServer(const std::string& folder_and_port);
  void Run(const std::string& action);

  std::string folder_;
  int port_ = 0;
  int databases_ = 0;
};

// Returns whether servers are clusters of Citus: see postgres_server.sh.
bool IsCitus();

// Returns a started server that lives until the test program ends.
PostgresServer& SharedPostgresServer();

// Opens a store in a new database of the shared server.
std::unique_ptr<UsageStore> NewPostgresStore(const RollupOptions& options = {});

// Runs SQL on a database. Returns the first column of the first row, or "" if
// there are no rows.
std::string RunPostgresSql(const std::string& url, const std::string& sql);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_
