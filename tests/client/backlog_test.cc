// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/backlog.h"

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/memory_log.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Minutes(1);

// A log whose first sync fulfills `begun` and hangs until `end` states its
// result.
class HangingLog : public MemoryLog {
 public:
  HangingLog(std::promise<void>* begun, std::future<absl::Status> end)
      : MemoryLog(BatchLimits()), begun_(begun), end_(std::move(end)) {}

  absl::Status Sync() override {
    if (begun_ == nullptr) return absl::OkStatus();
    std::exchange(begun_, nullptr)->set_value();
    return end_.get();
  }

 private:
  std::promise<void>* begun_;
  std::future<absl::Status> end_;
};

absl::Status Append(Backlog* backlog, absl::Duration timeout,
                    std::function<void(const absl::Status&)> on_synced) {
  EncodedRecord record("record");
  return backlog->Append(&record, timeout, std::move(on_synced));
}

TEST(BacklogTest, BoundsTheCallbacksThatWaitForASync) {
  std::promise<void> begun;
  std::promise<absl::Status> end;
  BacklogOptions options;
  options.max_bytes = 1000;
  options.max_unsynced = 2;
  Backlog backlog(options,
                  std::make_unique<HangingLog>(&begun, end.get_future()),
                  Clock::Real());
  std::thread syncs([&] { backlog.RunSyncs(); });
  const auto append = [&](absl::Duration timeout) {
    return Append(&backlog, timeout, [](const absl::Status&) {});
  };
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  begun.get_future().wait();
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  EXPECT_THAT(append(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // A record without a callback takes no room for one.
  EXPECT_THAT(Append(&backlog, absl::ZeroDuration(), nullptr), IsOk());
  auto waiting = std::async(std::launch::async, [&] { return append(kLong); });
  end.set_value(absl::OkStatus());
  EXPECT_THAT(waiting.get(), IsOk());
  backlog.Close();
  syncs.join();
}

// The operating system reports lost bytes to one sync only: the next sync would
// succeed, and acknowledge a record that is lost.
TEST(BacklogTest, AFailedSyncBreaksThePromiseOfTheRecordsThatCameMeanwhile) {
  std::promise<void> begun;
  std::promise<absl::Status> end;
  BacklogOptions options;
  options.max_bytes = 1000;
  Backlog backlog(options,
                  std::make_unique<HangingLog>(&begun, end.get_future()),
                  Clock::Real());
  std::promise<absl::Status> results[3];
  const auto append = [&](std::promise<absl::Status>* result) {
    return Append(
        &backlog, absl::ZeroDuration(),
        [result](const absl::Status& status) { result->set_value(status); });
  };
  ASSERT_THAT(append(&results[0]), IsOk());
  std::thread syncs([&] { backlog.RunSyncs(); });
  begun.get_future().wait();
  ASSERT_THAT(append(&results[1]), IsOk());
  end.set_value(absl::UnavailableError("the disk failed"));
  const auto failed = StatusIs(absl::StatusCode::kUnavailable);
  EXPECT_THAT(results[0].get_future().get(), failed);
  EXPECT_THAT(results[1].get_future().get(), failed);
  EXPECT_THAT(append(&results[2]), IsOk());
  EXPECT_THAT(results[2].get_future().get(), IsOk());
  backlog.Close();
  syncs.join();
}

}  // namespace
}  // namespace tokenusage
