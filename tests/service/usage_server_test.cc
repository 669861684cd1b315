// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_server.h"

#include <cerrno>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/service/server/listen_address.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(UsageServerTest, ServesLoopbackAddressesOnly) {
  const auto check = [](const std::string& address, bool insecure) {
    UsageServerOptions options;
    options.address = address;
    options.insecure_plaintext_on_any_address = insecure;
    return CheckServedAddress(options);
  };
  for (const char* address :
       {"127.0.0.1:0", "127.9.9.9:8105", "[::1]:65535", "localhost:1"}) {
    EXPECT_THAT(check(address, false), IsOk());
  }
  for (const char* address :
       {"0.0.0.0:8105", "[::]:8105", "10.0.0.1:8105", "example.com:8105"}) {
    EXPECT_THAT(check(address, false),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << address;
    EXPECT_THAT(check(address, true), IsOk());
  }
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", ":8105",
        "unix:/tmp/socket", ""}) {
    EXPECT_THAT(check(address, true),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << address;
  }
  EXPECT_THAT(check("127.0.0.1.example.com:1", false),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(UsageServerTest, RefusesAPortThatIsTaken) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  const auto first = UsageServer::Start(store.get(), options);
  ASSERT_THAT(first, IsOk());
  options.address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = UsageServer::Start(store.get(), options);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(options.address),
                                     HasSubstr("another process"))));
}

TEST(UsageServerTest, SaysWhyItCannotListen) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.insecure_plaintext_on_any_address = true;
  options.address = "192.0.2.1:8105";  // for documentation (RFC 5737)
  EXPECT_THAT(UsageServer::Start(store.get(), options),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("this machine does not have that address")));
  options.address = "no-such-host.invalid:8105";
  EXPECT_THAT(
      UsageServer::Start(store.get(), options),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no such host")));
  EXPECT_THAT(ListenErrorText(EACCES), HasSubstr("CAP_NET_BIND_SERVICE"));
}

}  // namespace
}  // namespace tokenusage
