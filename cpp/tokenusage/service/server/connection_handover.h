// SPDX-License-Identifier: Apache-2.0

// Hands accepted connections to gRPC, on a thread of its own: gRPC may read
// them on that thread, and goes on for as long as their callers send.
//
//   ConnectionHandover handover(std::move(acceptor));
//   handover.Add(fd, listener);

#ifndef TOKENUSAGE_SERVICE_SERVER_CONNECTION_HANDOVER_H_
#define TOKENUSAGE_SERVICE_SERVER_CONNECTION_HANDOVER_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "grpcpp/server_builder.h"

namespace tokenusage {

// Thread-safe.
class ConnectionHandover {
 public:
  explicit ConnectionHandover(
      std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);

  // Closes the connections that still wait.
  ~ConnectionHandover();

  ConnectionHandover(const ConnectionHandover&) = delete;
  ConnectionHandover& operator=(const ConnectionHandover&) = delete;

  // Takes the connection `fd`, which the socket `listener` has accepted.
  void Add(int fd, int listener);

 private:
  using Parameters =
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters;

  void Run();

  const std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>
      acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Parameters> waiting_;  // guarded by mutex_
  bool closing_ = false;            // guarded by mutex_
  std::thread thread_;              // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_CONNECTION_HANDOVER_H_
