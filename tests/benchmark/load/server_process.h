// SPDX-License-Identifier: Apache-2.0

// A server in a process of its own, so that its time and memory are its own.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace tokenusage::load {

// This program again, as a server, until it is destroyed.
class ServerProcess {
 public:
  // `kind` is one of RunServer's; `path` is the database of those that have
  // one. Aborts where the process does not start.
  explicit ServerProcess(const std::string& kind, const std::string& path = "");
  ~ServerProcess();

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  int port() const { return port_; }

  // The time that its threads have run, in seconds.
  double CpuSeconds() const;

  // Its memory now, and at its highest, in kilobytes.
  std::int64_t ResidentKilobytes() const;
  std::int64_t PeakResidentKilobytes() const;

 private:
  std::int64_t StatusValue(const std::string& name) const;

  pid_t process_;
  int input_;  // closing it ends the process
  int port_ = 0;
};

// What ServerProcess runs: serves until standard input ends. `kind`:
//   sqlite   the service on a SQLite file
//   sqlite1  the same, at most 1,000 records a commit
//   bare     the service on SQLite with a few statements (group_store.h)
//   ahead    the service on such a file and, behind it, on SQLite (likewise)
//   log      the service on a file that is only appended to (group_store.h)
//   null     the service on a store that adds the counts up and keeps nothing
//   parse    the same API: parses the request into an arena, and answers
//   echo     the same API: answers with the bytes of the request
int RunServer(const std::string& kind, const std::string& path);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_
