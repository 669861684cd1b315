// SPDX-License-Identifier: Apache-2.0

// A server in a separate process, so that its CPU time and memory can be told
// from those of the callers.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace tokenusage::load {

// Runs this program as a server until destroyed.
class ServerProcess {
 public:
  // `kind` is one of those of RunServer; `path` is the database, if the kind
  // has one. Aborts if the process does not start.
  explicit ServerProcess(const std::string& kind, const std::string& path = "");
  ~ServerProcess();

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  int port() const { return port_; }

  // Returns the CPU time of the process, in seconds.
  double CpuSeconds() const;

  // Return its current and its highest resident memory, in kilobytes.
  std::int64_t ResidentKilobytes() const;
  std::int64_t PeakResidentKilobytes() const;

 private:
  std::int64_t StatusValue(const std::string& name) const;

  pid_t process_;
  int input_;  // closing it ends the process
  int port_ = 0;
};

// Serves until standard input ends; ServerProcess calls it in the new process.
// `kind`:
//   sqlite   the service on a SQLite file
//   sqlite1  the same, at most 1,000 records a commit
//   labels   the service on a SQLite file, with rollups by the label customer
//   http     the service on a SQLite file, over HTTP
//   null     the service on a store that adds the counts up and keeps nothing
//   parse    parses the request into an arena, and answers
//   echo     answers with the bytes of the request
int RunServer(const std::string& kind, const std::string& path);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_SERVER_PROCESS_H_
