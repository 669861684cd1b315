// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

namespace tokenusage {

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost") return true;
  if (host.find('\0') != host.npos) return false;
  in_addr v4;
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6;
  if (inet_pton(AF_INET6, std::string(host).c_str(), &v6) != 1) return false;
  // A socket for both IP versions shows an IPv4 client as ::ffff:127.0.0.1.
  return IN6_IS_ADDR_LOOPBACK(&v6) ||
         (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool HasLoopbackHost(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  const bool in_brackets =
      host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const bool is_v6 = host.find(':') != host.npos;
  return in_brackets == is_v6 && IsLoopbackHost(host);
}

}  // namespace tokenusage
