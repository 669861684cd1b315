// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/loopback.h"

#include <string_view>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(LoopbackTest, KnowsThisMachinesAddresses) {
  for (const char* host :
       {"localhost", "127.0.0.1", "127.255.0.7", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
}

TEST(LoopbackTest, TakesNothingElseForOne) {
  for (const char* host : {"", "0.0.0.0", "::", "128.0.0.1", "127.example.com",
                           "127.0.0.1.example.com", "localhost.example.com",
                           "::ffff:10.0.0.1", "[::1]", "127.0.0.1:80"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
  EXPECT_FALSE(IsLoopbackHost(std::string_view("127.0.0.1\0.example.com", 22)));
}

TEST(LoopbackTest, ReadsTheHostBeforeAPort) {
  for (const char* address :
       {"localhost:80", "127.0.0.1:80", "[::1]:80", "[::ffff:127.1.2.3]:80"}) {
    EXPECT_TRUE(HasLoopbackHost(address)) << address;
  }
  // The second is an IPv6 address without a port.
  for (const char* address :
       {"", "::1:80", "[127.0.0.1]:80", "[]:80", "[:80", "10.0.0.1:80",
        "127.example.com:80", "unix:/tmp/socket"}) {
    EXPECT_FALSE(HasLoopbackHost(address)) << address;
  }
}

}  // namespace
}  // namespace tokenusage
