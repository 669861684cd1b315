// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/worker_pool.h"

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(WorkerPoolTest, FinishesWhatWasTaken) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(3, {2000, 0});
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(pool.TrySubmit("a", 0, [&done] { ++done; }));
    }
  }
  EXPECT_EQ(done, 1000);
}

// A pool whose only thread is occupied until the test releases it.
class OccupiedPool {
 public:
  explicit OccupiedPool(WorkerPool::Queue queue) : pool_(1, queue) {
    EXPECT_TRUE(pool_.TrySubmit("occupied", 0, [this] {
      started_.set_value();
      release_.get_future().wait();
    }));
    started_.get_future().wait();
  }
  ~OccupiedPool() { release_.set_value(); }

  bool TrySubmit(
      const std::string& key, std::int64_t bytes,
      std::function<void()> job = [] {}) {
    return pool_.TrySubmit(key, bytes, std::move(job));
  }

 private:
  std::promise<void> started_, release_;
  WorkerPool pool_;
};

TEST(WorkerPoolTest, AKeyMayQueueAsManyJobsAsAreFree) {
  OccupiedPool pool({4, 0});
  EXPECT_TRUE(pool.TrySubmit("a", 0));
  EXPECT_TRUE(pool.TrySubmit("a", 0));
  EXPECT_FALSE(pool.TrySubmit("a", 0));
  EXPECT_TRUE(pool.TrySubmit("b", 0));
  EXPECT_FALSE(pool.TrySubmit("b", 0));
  EXPECT_TRUE(pool.TrySubmit("c", 0));
  EXPECT_FALSE(pool.TrySubmit("d", 0));
}

TEST(WorkerPoolTest, AKeyMayQueueAsManyBytesAsAreFree) {
  OccupiedPool pool({100, 40});
  EXPECT_TRUE(pool.TrySubmit("a", 20));
  EXPECT_FALSE(pool.TrySubmit("a", 10));
  EXPECT_TRUE(pool.TrySubmit("b", 10));
  EXPECT_FALSE(pool.TrySubmit("c", 11));
}

TEST(WorkerPoolTest, ALargeJobIsTakenIfTheQueueIsEmpty) {
  OccupiedPool pool({100, 40});
  EXPECT_TRUE(pool.TrySubmit("a", 41));
  EXPECT_FALSE(pool.TrySubmit("b", 1));
}

TEST(WorkerPoolTest, KeysTakeTurns) {
  std::mutex mutex;
  std::vector<std::string> order;
  {
    OccupiedPool pool({100, 0});
    const auto submit = [&](const std::string& key) {
      ASSERT_TRUE(pool.TrySubmit(key, 0, [&mutex, &order, key] {
        const std::lock_guard<std::mutex> lock(mutex);
        order.push_back(key);
      }));
    };
    for (int i = 0; i < 3; ++i) submit("a");
    submit("b");
    submit("c");
  }
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "c", "a", "a"}));
}

TEST(WorkerPoolTest, OneKeyNeverOccupiesAllThreads) {
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  std::promise<void> other_ran;
  WorkerPool pool(3, {100, 0});
  std::atomic<int> running = 0;
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(pool.TrySubmit("slow", 0, [&running, released] {
      ++running;
      released.wait();
    }));
  }
  ASSERT_TRUE(
      pool.TrySubmit("other", 0, [&other_ran] { other_ran.set_value(); }));
  EXPECT_EQ(other_ran.get_future().wait_for(std::chrono::seconds(20)),
            std::future_status::ready);
  EXPECT_LE(running, 2);
  release.set_value();
}

}  // namespace
}  // namespace tokenusage
