// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/disk_space.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using testing::IsOk;

// Files of this process may not grow beyond `bytes` while it exists.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(DiskSpaceTest, TellsWhetherAReportFits) {
  std::signal(SIGXFSZ, SIG_IGN);
  const std::string folder = ::testing::TempDir() + "/disk_space_test";
  std::filesystem::create_directory(folder);
  const int file = open(folder.c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (file < 0) GTEST_SKIP() << "the file system has no files without a name";
  close(file);
  EXPECT_THAT(CheckDiskSpace(folder + "/usage.db"), IsOk());
  {
    const FileSizeLimit limit(512 << 10);
    const absl::Status status = CheckDiskSpace(folder + "/usage.db");
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_NE(status.message().find(folder), status.message().npos) << status;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_TRUE(absl::IsNotFound(CheckDiskSpace(folder + "/missing/usage.db")));
}

}  // namespace
}  // namespace tokenusage
