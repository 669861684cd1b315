// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/backlog.h"

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

// A log whose first sync hangs until it is released.
class HangingLog : public MemoryLog {
 public:
  HangingLog(std::promise<void>* begun, std::shared_future<void> released)
      : MemoryLog(BatchLimits()), begun_(begun), released_(released) {}

  absl::Status Sync() override {
    if (begun_ != nullptr) std::exchange(begun_, nullptr)->set_value();
    released_.wait();
    return absl::OkStatus();
  }

 private:
  std::promise<void>* begun_;
  const std::shared_future<void> released_;
};

TEST(BacklogTest, BoundsTheCallbacksThatWaitForASync) {
  std::promise<void> begun, released;
  BacklogOptions options;
  options.max_bytes = 1000;
  options.max_unsynced = 2;
  Backlog backlog(
      options,
      std::make_unique<HangingLog>(&begun, released.get_future().share()),
      Clock::Real());
  std::thread syncs([&] { backlog.RunSyncs(); });
  const auto append = [&](absl::Duration timeout) {
    return backlog.Append("record", timeout, [](const absl::Status&) {});
  };
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  begun.get_future().wait();
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  EXPECT_THAT(append(absl::ZeroDuration()), IsOk());
  EXPECT_THAT(append(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // A record without a callback needs no room for one.
  EXPECT_THAT(backlog.Append("record", absl::ZeroDuration(), nullptr), IsOk());
  auto waiting = std::async(std::launch::async, [&] { return append(kLong); });
  released.set_value();
  EXPECT_THAT(waiting.get(), IsOk());
  backlog.Close();
  syncs.join();
}

}  // namespace
}  // namespace tokenusage
