// SPDX-License-Identifier: Apache-2.0

// Opens the sockets that a server listens on.
//
//   auto sockets = ListeningSockets::Bind("localhost:8105");
//   if (!sockets.ok()) return sockets.status();
//   int fd = accept4(sockets->fds()[0], nullptr, nullptr, SOCK_NONBLOCK);

#ifndef TOKENUSAGE_SERVICE_SERVER_LISTENING_SOCKETS_H_
#define TOKENUSAGE_SERVICE_SERVER_LISTENING_SOCKETS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace tokenusage {

// Movable. Closes the sockets when it is destroyed.
class ListeningSockets {
 public:
  // Listens on every address that the host of `address` (host:port) resolves
  // to, except those that this machine does not have. With port 0, all share
  // one free port. The sockets do not block.
  //
  // Errors: UNAVAILABLE if the host is unknown, if the server cannot listen on
  // one of the addresses, or if none is left.
  static absl::StatusOr<ListeningSockets> Bind(const std::string& address);

  ListeningSockets(ListeningSockets&& other) noexcept
      : fds_(std::exchange(other.fds_, {})), port_(other.port_) {}
  ListeningSockets& operator=(ListeningSockets&&) = delete;
  ~ListeningSockets() { Close(); }

  // Stops listening. Connections that were not accepted are reset.
  void Close();

  const std::vector<int>& fds() const { return fds_; }
  int port() const { return port_; }

 private:
  ListeningSockets() = default;

  std::vector<int> fds_;
  int port_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_LISTENING_SOCKETS_H_
