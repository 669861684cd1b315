// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

// Listens for a moment; returns 0 or an errno.
int TryToListen(const addrinfo& address) {
  const int listener = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return errno;
  const int on = 1;
  static_cast<void>(
      setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
  const bool ok = bind(listener, address.ai_addr, address.ai_addrlen) == 0 &&
                  listen(listener, 1) == 0;
  const int error = ok ? 0 : errno;
  close(listener);
  return error;
}

std::string ReasonOf(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(),
                                &hints, &found);
  if (error != 0) return absl::StrCat("no such host: ", gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found,
                                                                 &freeaddrinfo);
  return ListenErrorText(TryToListen(*found));
}

absl::Status Expected(std::string_view what, const std::string& address) {
  return absl::InvalidArgumentError(absl::StrCat(
      "expected ", ToAbsl(what), ", found \"", Excerpt(address), "\""));
}

}  // namespace

absl::Status CheckAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos && colon > 0 &&
      // unix:/path and the like are not served.
      address.find('/') == std::string::npos &&
      absl::SimpleAtoi(ToAbsl(std::string_view(address).substr(colon + 1)),
                       &port) &&
      port >= 0 && port <= 65535) {
    return absl::OkStatus();
  }
  return Expected("a host and a port such as 127.0.0.1:8105 or [::]:8105",
                  address);
}

absl::Status CheckLoopbackAddress(const std::string& address) {
  if (CheckAddress(address).ok() && HasLoopbackHost(address)) {
    return absl::OkStatus();
  }
  return Expected(
      "a loopback address and a port such as 127.0.0.1:8105 or [::1]:8105",
      address);
}

absl::Status ListenError(const std::string& address) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": ", ReasonOf(address)));
}

std::string ListenErrorText(int error) {
  switch (error) {
    case EADDRINUSE:
      return "another process is using the port";
    case EACCES:
      return "this process may not use the port: ports below 1024 take the "
             "capability CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
      return "this machine does not have that address";
    case 0:
      return "unknown reason";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace tokenusage
