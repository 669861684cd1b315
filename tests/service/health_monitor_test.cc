// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/service/failing_store.h"

namespace tokenusage {
namespace {

// What the monitor said, in order.
class Changes {
 public:
  void Add(const HealthChange& change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    changes_.push_back(change);
    changed_.notify_all();
  }
  // Waits for that many; all so far.
  std::vector<HealthChange> Await(std::size_t count, absl::Duration time) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(time),
                      [&] { return changes_.size() >= count; });
    return changes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HealthChange> changes_;
};

constexpr absl::Duration kLong = absl::Seconds(20);

class HealthMonitorTest : public testing::Test {
 protected:
  FailingStore store_{absl::UnavailableError("disk full")};
  Changes changes_;
  HealthMonitor monitor_{&store_, absl::Milliseconds(5),
                         [this](const HealthChange& c) { changes_.Add(c); }};
};

TEST_F(HealthMonitorTest, SaysOnceThatItFailedAndOnceThatItRecovered) {
  for (int round = 0; round < 3; ++round) {
    store_.set_writable(false);
    for (int i = 0; i < 5; ++i) {
      monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
    }
    const std::size_t before = 2 * static_cast<std::size_t>(round);
    ASSERT_EQ(changes_.Await(before + 1, kLong).size(), before + 1);
    // It asks several times, and hears no.
    EXPECT_EQ(changes_.Await(before + 2, absl::Milliseconds(50)).size(),
              before + 1);
    EXPECT_GE(store_.times_asked(), 2);
    store_.set_writable(true);
    const auto all = changes_.Await(before + 2, kLong);
    ASSERT_EQ(all.size(), before + 2);
    EXPECT_FALSE(all[before].healthy);
    EXPECT_EQ(all[before].cause.message(), "disk full");
    EXPECT_TRUE(all[before + 1].healthy);
    EXPECT_EQ(all[before + 1].failures, 5);
  }
}

// It takes the monitor's write and fails its callers: each time it fails soon
// after its recovery, it has to work for longer.
TEST_F(HealthMonitorTest, AStoreThatFailsItsCallersDoesNotFlap) {
  store_.set_writable(true);
  // By then the store must work for 64 intervals, 320 ms.
  for (std::size_t round = 0; round < 7; ++round) {
    monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
    ASSERT_EQ(changes_.Await(2 * round + 2, kLong).size(), 2 * round + 2);
  }
  for (int i = 0; i < 20; ++i) {
    monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_FALSE(changes_.Await(15, kLong).back().healthy);
  ASSERT_EQ(changes_.Await(16, kLong).size(), 16u);
  EXPECT_EQ(changes_.Await(16, kLong).back().failures, 20);
}

TEST_F(HealthMonitorTest, DamageStays) {
  store_.set_writable(true);
  monitor_.OnStoreFailure(absl::DataLossError("damaged"));
  ASSERT_EQ(changes_.Await(1, kLong).size(), 1u);
  EXPECT_EQ(changes_.Await(2, absl::Milliseconds(100)).size(), 1u);
}

TEST_F(HealthMonitorTest, AHealthyStoreIsNotAsked) {
  EXPECT_TRUE(changes_.Await(1, absl::Milliseconds(50)).empty());
  EXPECT_EQ(store_.times_asked(), 0);
}

}  // namespace
}  // namespace tokenusage
