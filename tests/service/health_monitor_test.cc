// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "tests/service/failing_store.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kNever = absl::InfiniteDuration();

class HealthMonitorTest : public testing::Test {
 protected:
  FailingStore store_{absl::UnavailableError("disk full")};
  absl::Time now_ = absl::UnixEpoch();
  std::vector<HealthChange> changes_;
  HealthMonitor monitor_{
      &store_, kInterval,
      [this](const HealthChange& change) { changes_.push_back(change); },
      [this] { return now_; }};

  // Runs a step, an interval later. Returns the time until the next one.
  absl::Duration Step() {
    now_ += kInterval;
    return monitor_.Step();
  }
};

TEST_F(HealthMonitorTest, ReportsAFailureAndARecoveryOnce) {
  for (std::size_t round = 0; round < 3; ++round) {
    changes_.clear();
    store_.set_writable(false);
    EXPECT_TRUE(monitor_.OnStoreFailure(absl::UnavailableError("first")));
    for (int i = 0; i < 4; ++i) {
      EXPECT_FALSE(monitor_.OnStoreFailure(absl::UnavailableError("later")));
    }
    const int before = store_.times_asked();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(Step(), kInterval);
    EXPECT_EQ(store_.times_asked(), before + 3);
    ASSERT_EQ(changes_.size(), 1u);
    EXPECT_FALSE(changes_[0].healthy);
    EXPECT_EQ(changes_[0].cause.message(), "first");
    store_.set_writable(true);
    EXPECT_EQ(Step(), kNever);
    ASSERT_EQ(changes_.size(), 2u);
    EXPECT_TRUE(changes_[1].healthy);
    EXPECT_EQ(changes_[1].failures, 5);
  }
}

TEST_F(HealthMonitorTest, AFailureWhileTheStoreIsAskedOutweighsItsAnswer) {
  store_.set_writable(true);
  monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
  EXPECT_EQ(Step(), kInterval);
  store_.set_on_asked(
      [&] { monitor_.OnStoreFailure(absl::UnavailableError("again")); });
  EXPECT_EQ(Step(), kInterval);
  EXPECT_EQ(changes_.size(), 1u);
  store_.set_on_asked([] {});
  EXPECT_EQ(Step(), kNever);
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[1].failures, 2);
}

// The store accepts the monitor's write and fails its callers. Each time that
// it fails soon after a recovery, it must work for longer to count as healthy.
TEST_F(HealthMonitorTest, AStoreThatFailsItsCallersDoesNotFlap) {
  store_.set_writable(true);
  for (const int quiet : {1, 2, 4, 8, 16, 32, 64, 64}) {
    monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
    int steps = 0;
    while (Step() != kNever) ++steps;
    EXPECT_EQ(steps, std::max(quiet - 1, 1));
    now_ += 30 * kInterval;
  }
  EXPECT_EQ(changes_.size(), 16u);
  // A call fails every 30 s: the store stays unhealthy.
  for (int i = 0; i < 100; ++i) {
    if (i % 30 == 0) monitor_.OnStoreFailure(absl::UnavailableError("full"));
    Step();
  }
  EXPECT_EQ(changes_.size(), 17u);
  // The store works for long, and then fails once.
  while (Step() != kNever) {
  }
  now_ += 300 * kInterval;
  monitor_.OnStoreFailure(absl::UnavailableError("disk full"));
  EXPECT_EQ(Step(), kInterval);
  EXPECT_EQ(Step(), kNever);
}

TEST_F(HealthMonitorTest, DamageStays) {
  store_.set_writable(true);
  monitor_.OnStoreFailure(absl::DataLossError("damaged"));
  EXPECT_EQ(Step(), kInterval);
  EXPECT_EQ(Step(), kNever);
  EXPECT_EQ(Step(), kNever);
  EXPECT_EQ(changes_.size(), 1u);
  EXPECT_EQ(store_.times_asked(), 0);
}

TEST_F(HealthMonitorTest, AHealthyStoreIsNotAsked) {
  EXPECT_EQ(Step(), kNever);
  EXPECT_EQ(store_.times_asked(), 0);
  EXPECT_TRUE(changes_.empty());
}

}  // namespace
}  // namespace tokenusage
