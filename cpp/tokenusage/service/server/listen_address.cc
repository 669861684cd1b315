// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/listen_address.h"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"

namespace tokenusage {

absl::Status CheckAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos && colon > 0 &&
      // unix:/path and the like are not served.
      address.find('/') == std::string::npos &&
      absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 0 &&
      port <= 65535) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a host and a port such as 127.0.0.1:8105 or [::]:8105, found "
      "\"",
      Excerpt(address), "\""));
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
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace tokenusage
