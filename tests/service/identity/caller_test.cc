// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/caller.h"

#include <string>

#include "gtest/gtest.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

std::string ReasonOf(const absl::Status& status) {
  return status.ok() ? "OK" : GetErrorInfo(status)->reason;
}

TEST(CallerTest, MayUseItsProjectsInItsRoles) {
  const Caller caller{"gateway", {"demo", "web"}, {Role::kReport}};
  EXPECT_EQ(ReasonOf(caller.CheckAccess("demo", Role::kReport)), "OK");
  EXPECT_EQ(ReasonOf(caller.CheckAccess("web", Role::kReport)), "OK");
  EXPECT_EQ(ReasonOf(caller.CheckAccess("demo", Role::kQuery)),
            "ROLE_FORBIDDEN");
  for (const char* other : {"other", "dem", "demo2", "Demo", "", "*"}) {
    EXPECT_EQ(ReasonOf(caller.CheckAccess(other, Role::kReport)),
              "PROJECT_FORBIDDEN")
        << other;
  }
}

TEST(CallerTest, TheProjectIsCheckedBeforeTheRole) {
  const Caller caller{"gateway", {"demo"}, {}};
  EXPECT_EQ(ReasonOf(caller.CheckAccess("other", Role::kQuery)),
            "PROJECT_FORBIDDEN");
}

TEST(CallerTest, AStarIsEveryProject) {
  const Caller caller{"finance", {"*"}, {Role::kQuery}};
  EXPECT_EQ(ReasonOf(caller.CheckAccess("demo", Role::kQuery)), "OK");
  EXPECT_EQ(ReasonOf(caller.CheckAccess("demo", Role::kReport)),
            "ROLE_FORBIDDEN");
}

}  // namespace
}  // namespace tokenusage
