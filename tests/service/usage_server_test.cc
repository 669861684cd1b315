// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_server.h"

#include <string>

#include "gtest/gtest.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage {
namespace {

TEST(UsageServerTest, ServesLoopbackAddressesOnly) {
  const auto check = [](const std::string& address, bool insecure) {
    UsageServerOptions options;
    options.address = address;
    options.insecure_plaintext_on_any_address = insecure;
    return CheckServedAddress(options);
  };
  for (const char* address :
       {"127.0.0.1:0", "127.9.9.9:8105", "[::1]:65535", "localhost:1"}) {
    EXPECT_TRUE(check(address, false).ok()) << address;
  }
  for (const char* address :
       {"0.0.0.0:8105", "[::]:8105", "10.0.0.1:8105", "example.com:8105"}) {
    EXPECT_EQ(check(address, false).code(), absl::StatusCode::kInvalidArgument)
        << address;
    EXPECT_TRUE(check(address, true).ok()) << address;
  }
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", ":8105",
        "unix:/tmp/socket", ""}) {
    EXPECT_EQ(check(address, true).code(), absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_FALSE(check("127.0.0.1.example.com:1", false).ok());
}

TEST(UsageServerTest, RefusesAPortThatIsTaken) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  const auto first = UsageServer::Start(store.get(), options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = UsageServer::Start(store.get(), options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(options.address.c_str()),
            std::string::npos);
}

}  // namespace
}  // namespace tokenusage
