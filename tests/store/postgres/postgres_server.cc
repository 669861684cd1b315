// SPDX-License-Identifier: Apache-2.0

#include "tests/store/postgres/postgres_server.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "libpq-fe.h"
#include "tokenusage/store/postgres/store.h"

namespace tokenusage::testing {
namespace {

constexpr char kScript[] = "tests/store/postgres/postgres_server.sh";

[[noreturn]] void Abort(const std::string& what) {
  std::cerr << what << std::endl;
  std::abort();
}

// Runs the script and returns what it printed.
std::string RunScript(const std::string& arguments) {
  const std::string command = std::string(kScript) + " " + arguments;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Abort(command);
  std::string output;
  std::array<char, 256> part;
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) {
    output += part.data();
  }
  if (pclose(pipe) != 0) Abort(command + " failed");
  return output;
}

}  // namespace

std::unique_ptr<PostgresServer> PostgresServer::Create() {
  return std::unique_ptr<PostgresServer>(
      new PostgresServer(RunScript("create")));
}

std::unique_ptr<PostgresServer> PostgresServer::CreateStandby() const {
  return std::unique_ptr<PostgresServer>(
      new PostgresServer(RunScript("standby " + folder_)));
}

PostgresServer::PostgresServer(const std::string& folder_and_port) {
  const std::size_t space = folder_and_port.find(' ');
  if (space == std::string::npos) Abort("no port: " + folder_and_port);
  folder_ = folder_and_port.substr(0, space);
  port_ = std::atoi(folder_and_port.c_str() + space);
  // Removes the server even if the test is killed.
  const std::string guard = std::string(kScript) + " guard " + folder_ + " " +
                            std::to_string(getpid()) +
                            " >/dev/null 2>&1 </dev/null &";
  if (std::system(guard.c_str()) != 0) Abort(guard);
}

PostgresServer::~PostgresServer() { Run("remove"); }

void PostgresServer::Run(const std::string& action) {
  RunScript(action + " " + folder_);
}

std::string PostgresServer::Url(const std::string& database) const {
  return "postgresql://tokenusage@127.0.0.1:" + std::to_string(port_) + "/" +
         database;
}

std::string PostgresServer::NewEmptyDatabase() {
  const std::string name = "test" + std::to_string(++databases_);
  RunScript("database " + folder_ + " " + name);
  return Url(name);
}

std::string PostgresServer::NewDatabase() {
  std::string url = NewEmptyDatabase();
  const auto migration = MigratePostgresDatabase(url, /*distribute=*/IsCitus());
  if (!migration.ok()) Abort(migration.status().ToString());
  return url;
}

bool IsCitus() { return std::getenv("TOKENUSAGE_CITUS_WORKERS") != nullptr; }

PostgresServer& SharedPostgresServer() {
  static const std::unique_ptr<PostgresServer> server = [] {
    std::unique_ptr<PostgresServer> created = PostgresServer::Create();
    created->Start();
    return created;
  }();
  return *server;
}

std::unique_ptr<UsageStore> NewPostgresStore(const RollupOptions& options) {
  PostgresStoreOptions postgres;
  postgres.rollups = options;
  auto store =
      OpenPostgresStore(SharedPostgresServer().NewDatabase(), postgres);
  if (!store.ok()) Abort(store.status().ToString());
  return *std::move(store);
}

std::string RunPostgresSql(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
      PQconnectdb(url.c_str()), &PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    Abort(url + ": " + PQerrorMessage(connection.get()));
  }
  if (PQntuples(result.get()) == 0) return "";
  return PQgetvalue(result.get(), 0, 0);
}

}  // namespace tokenusage::testing
