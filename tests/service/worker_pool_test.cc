// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/worker_pool.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(WorkerPoolTest, FinishesWhatWasTaken) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(3, 1000);
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(pool.TrySubmit([&done] { ++done; }));
    }
  }
  EXPECT_EQ(done, 1000);
}

TEST(WorkerPoolTest, RefusesMoreThanItsQueueHolds) {
  std::promise<void> started, release;
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.TrySubmit([&] {
    started.set_value();
    release.get_future().wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.TrySubmit([] {}));
  EXPECT_TRUE(pool.TrySubmit([] {}));
  EXPECT_FALSE(pool.TrySubmit([] {}));
  release.set_value();
}

}  // namespace
}  // namespace tokenusage
