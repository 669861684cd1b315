// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

TEST(ReplaceFileTest, KeepsTheMode) {
  const std::string path = ::testing::TempDir() + "/mode";
  ASSERT_THAT(ReplaceFile(path, "old"), testing::IsOk());
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_THAT(ReplaceFile(path, "new"), testing::IsOk());
  struct stat facts = {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0640U);
  EXPECT_EQ(ReadFile(path, 100).value_or(""), "new");
}

// If ReplaceFile followed a link PATH.new, anyone who can write in the folder
// could redirect the content.
TEST(ReplaceFileTest, DoesNotFollowALinkThatIsLeftOver) {
  const std::string path = ::testing::TempDir() + "/linked";
  const std::string other = ::testing::TempDir() + "/other";
  ASSERT_THAT(WriteFile(other, "other"), testing::IsOk());
  ASSERT_EQ(symlink(other.c_str(), (path + ".new").c_str()), 0);
  ASSERT_THAT(ReplaceFile(path, "new"), testing::IsOk());
  EXPECT_EQ(ReadFile(path, 100).value_or(""), "new");
  EXPECT_EQ(ReadFile(other, 100).value_or(""), "other");
}

}  // namespace
}  // namespace tokenusage
