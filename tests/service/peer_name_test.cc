// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/peer_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

std::string NameOfV6(const char* address, std::uint32_t scope) {
  sockaddr_in6 peer = {};
  peer.sin6_family = AF_INET6;
  peer.sin6_port = htons(49152);
  peer.sin6_scope_id = scope;
  EXPECT_EQ(inet_pton(AF_INET6, address, &peer.sin6_addr), 1);
  return PeerName(reinterpret_cast<const sockaddr&>(peer));
}

// The texts are those of grpc::ServerContext::peer().
TEST(PeerNameTest, IsThatOfGrpc) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(8105);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(PeerName(reinterpret_cast<const sockaddr&>(v4)),
            "ipv4:127.0.0.1:8105");
  EXPECT_EQ(NameOfV6("::ffff:10.0.0.1", 0), "ipv4:10.0.0.1:49152");
  EXPECT_EQ(NameOfV6("2001:db8::1", 0), "ipv6:%5B2001:db8::1%5D:49152");
  EXPECT_EQ(NameOfV6("fe80::1", 2), "ipv6:%5Bfe80::1%252%5D:49152");
}

}  // namespace
}  // namespace tokenusage
