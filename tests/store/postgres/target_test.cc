// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/target.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::Contains;
using testing::IsOk;
using ::testing::Not;
using ::testing::Pair;

TEST(PostgresTargetTest, VerifiesServersOnOtherMachines) {
  for (const char* host :
       {"db.example", "10.0.0.1", "127.example.com", "127.0.0.1.example.com"}) {
    const auto target =
        PostgresTarget::Parse(std::string("postgresql://") + host + "/usage");
    ASSERT_THAT(target, IsOk());
    EXPECT_THAT(target->settings(), Contains(Pair("sslmode", "verify-full")))
        << host;
  }
}

TEST(PostgresTargetTest, DoesNotVerifyThisMachine) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "[::1]"}) {
    const auto target =
        PostgresTarget::Parse(std::string("postgresql://") + host + "/usage");
    ASSERT_THAT(target, IsOk());
    EXPECT_THAT(target->settings(),
                Not(Contains(Pair("sslmode", "verify-full"))))
        << host;
  }
}

}  // namespace
}  // namespace tokenusage
