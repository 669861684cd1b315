// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

constexpr int kBacklog = 1024;

// Returns the port, which is the same field in both families.
std::uint16_t* PortOf(sockaddr* address) {
  return address->sa_family == AF_INET6
             ? &reinterpret_cast<sockaddr_in6*>(address)->sin6_port
             : &reinterpret_cast<sockaddr_in*>(address)->sin_port;
}

// Returns a socket that listens on `address`, or -1 with errno.
int Listen(const sockaddr* address, socklen_t size, bool is_only_ipv6) {
  const int fd =
      socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  const int only_ipv6 = is_only_ipv6 ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address->sa_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof(only_ipv6));
  }
  if (bind(fd, address, size) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

absl::StatusOr<ListeningSockets> ListeningSockets::Bind(
    const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(),
                                &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", address, ": no such host: ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found,
                                                             &freeaddrinfo);
  ListeningSockets sockets;
  for (addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (sockets.port_ != 0) {
      *PortOf(at->ai_addr) = htons(static_cast<std::uint16_t>(sockets.port_));
    }
    // "[::]" takes IPv4 too, as it does with gRPC's own listener.
    const int fd = Listen(at->ai_addr, at->ai_addrlen, /*is_only_ipv6=*/
                          found->ai_next != nullptr);
    // A host without IPv6 still resolves localhost to ::1.
    if (fd < 0 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) &&
        (at->ai_next != nullptr || !sockets.fds_.empty())) {
      continue;
    }
    if (fd < 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", address,
                                                 ": ", ListenErrorText(errno)));
    }
    sockets.fds_.push_back(fd);
    sockaddr_storage bound = {};
    socklen_t size = sizeof(bound);
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    sockets.port_ = ntohs(*PortOf(reinterpret_cast<sockaddr*>(&bound)));
  }
  return sockets;
}

void ListeningSockets::Close() {
  for (const int fd : fds_) close(fd);
  fds_.clear();
}

}  // namespace tokenusage
