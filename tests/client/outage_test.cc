// SPDX-License-Identifier: Apache-2.0

// Reporters during a long outage of the service, and on a full disk. In the
// end, each record for which Report returned OK is stored once, and nothing
// that was not reported is stored.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/support/stored_ids.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/usage_reporter.h"
#include "tokenusage/testing/in_process_server.h"

namespace tokenusage {
namespace {

using testing::Eventually;
using testing::IsOk;
using testing::NumberedRecord;
using testing::StatusIs;
using testing::StoredIds;

class OutageTest : public ::testing::TestWithParam<Durability> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, InProcessServer::Start());
  }

  void StartReporter(const std::string& folder, std::int64_t max_spool_bytes) {
    GrpcTransportOptions connection;
    connection.servers = {server_->address()};
    ASSERT_OK_AND_ASSIGN(auto transport, NewGrpcTransport(connection));
    UsageReporterOptions options;
    options.project = "demo";
    options.durability = GetParam();
    options.spool_folder = folder;
    options.max_spool_bytes = max_spool_bytes;
    options.max_retry_delay = absl::Seconds(2);
    ASSERT_OK_AND_ASSIGN(reporter_, UsageReporter::Start(std::move(options),
                                                         std::move(transport)));
  }

  // Stops the reporter, and compares the promised records with the stored ones.
  void CheckPromises(const std::set<std::string>& promised,
                     const std::set<std::string>& reported) {
    ASSERT_THAT(reporter_->Stop(absl::Minutes(3)), IsOk());
    const std::set<std::string> stored = StoredIds(&server_->store());
    EXPECT_TRUE(std::includes(stored.begin(), stored.end(), promised.begin(),
                              promised.end()));
    EXPECT_TRUE(std::includes(reported.begin(), reported.end(), stored.begin(),
                              stored.end()));
  }

  std::unique_ptr<InProcessServer> server_;
  std::unique_ptr<UsageReporter> reporter_;
};

INSTANTIATE_TEST_SUITE_P(All, OutageTest,
                         ::testing::Values(Durability::kProcess,
                                           Durability::kDisk));

TEST_P(OutageTest, LosesNothingWhileTheServiceIsAway) {
  const char* const text = std::getenv("TOKENUSAGE_OUTAGE_SECONDS");
  const absl::Duration outage =
      absl::Seconds(text == nullptr ? 2 : std::atoi(text));
  StartReporter(::testing::TempDir() + "/outage_" +
                    std::to_string(static_cast<int>(GetParam())),
                1 << 30);
  constexpr int kThreads = 2;
  std::atomic<bool> is_over{false};
  std::set<std::string> ids[kThreads];
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread, &is_over, &ids] {
      for (int i = thread; !is_over; i += kThreads) {
        v1::UsageRecord record = NumberedRecord(i);
        ids[thread].insert(record.record_id());
        EXPECT_THAT(reporter_->Report(std::move(record)), IsOk());
        absl::SleepFor(absl::Milliseconds(1));  // some 2,000 a second
      }
    });
  }
  EXPECT_TRUE(Eventually([this] { return reporter_->counters().stored > 0; }));
  server_->Stop();
  absl::SleepFor(outage);
  const UsageReporterCounters counters = reporter_->counters();
  EXPECT_GT(counters.pending_records, 0);
  ASSERT_THAT(server_->StartAgain(), IsOk());
  EXPECT_TRUE(Eventually([&] {
    return reporter_->counters().stored > counters.stored;
  })) << counters.failed_calls
      << " calls failed";
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  ids[0].merge(ids[1]);
  CheckPromises(ids[0], ids[0]);
}

// A file system of 4 MiB.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& folder) : folder_(folder) {
    mkdir(folder.c_str(), S_IRWXU);
    is_mounted_ = mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=4m") == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

  bool is_mounted() const { return is_mounted_; }

  void Fill() {
    const int file =
        open((folder_ + "/ballast").c_str(), O_WRONLY | O_CREAT, S_IRWXU);
    const std::string page(4096, 'x');
    while (write(file, page.data(), page.size()) > 0) {
    }
    EXPECT_EQ(errno, ENOSPC);
    close(file);
  }
  void Free() { unlink((folder_ + "/ballast").c_str()); }

 private:
  const std::string folder_;
  bool is_mounted_ = false;
};

TEST_P(OutageTest, LosesNothingWhenTheDiskIsFullAndFreed) {
  const std::string folder = ::testing::TempDir() + "/disk_" +
                             std::to_string(static_cast<int>(GetParam()));
  SmallDisk disk(folder);
  if (!disk.is_mounted()) GTEST_SKIP() << "mount: " << std::strerror(errno);
  // More than the disk has. The spool frees space in segments of an eighth of
  // this.
  StartReporter(folder + "/spool", 8 << 20);
  std::set<std::string> promised, reported;
  const auto report = [&] {
    v1::UsageRecord record = NumberedRecord(static_cast<int>(reported.size()));
    const std::string id = *reported.insert(record.record_id()).first;
    absl::Status status = reporter_->Report(std::move(record));
    if (status.ok()) promised.insert(id);
    return status;
  };
  const auto report_until_full = [&] {
    absl::Status status;
    while (status.ok()) status = report();
    return status;
  };

  // Others have filled the disk.
  EXPECT_THAT(report(), IsOk());
  disk.Fill();
  EXPECT_THAT(report_until_full(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(reporter_->Flush(absl::Minutes(1)), IsOk());
  disk.Free();
  EXPECT_THAT(report(), IsOk());

  // The spool itself has filled it, while the service was away.
  EXPECT_THAT(reporter_->Flush(absl::Minutes(1)), IsOk());
  server_->Stop();
  EXPECT_THAT(report_until_full(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(report(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_GT(reporter_->counters().pending_records, 1000);
  ASSERT_THAT(server_->StartAgain(), IsOk());
  EXPECT_THAT(reporter_->Flush(absl::Minutes(3)), IsOk());
  EXPECT_THAT(report(), IsOk());
  CheckPromises(promised, reported);
}

}  // namespace
}  // namespace tokenusage
