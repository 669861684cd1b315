// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/loopback_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

bool IsLoopbackHost(std::string host) {
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    in6_addr address;
    host = host.substr(1, host.size() - 2);
    return inet_pton(AF_INET6, host.c_str(), &address) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&address);
  }
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 &&
         (ntohl(address.s_addr) >> 24) == 127;
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
  return Expected("a host and a port, as 127.0.0.1:8105 or [::]:8105", address);
}

absl::Status CheckLoopbackAddress(const std::string& address) {
  if (CheckAddress(address).ok() &&
      IsLoopbackHost(address.substr(0, address.rfind(':')))) {
    return absl::OkStatus();
  }
  return Expected(
      "a loopback address and a port, as 127.0.0.1:8105 or [::1]:8105",
      address);
}

}  // namespace tokenusage
