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
      ASSERT_TRUE(pool.TrySubmit({"a", ""}, 0, [&done] { ++done; }));
    }
  }
  EXPECT_EQ(done, 1000);
}

// A pool whose only thread is occupied until the pool is destroyed.
class OccupiedPool {
 public:
  explicit OccupiedPool(WorkerPool::Queue queue) : pool_(1, queue) {
    EXPECT_TRUE(pool_.TrySubmit({"occupied", ""}, 0, [this] {
      started_.set_value();
      release_.get_future().wait();
    }));
    started_.get_future().wait();
  }
  ~OccupiedPool() { release_.set_value(); }

  bool TrySubmit(
      const std::string& caller, std::int64_t bytes,
      std::function<void()> job = [] {}) {
    return pool_.TrySubmit({caller, ""}, bytes, std::move(job));
  }
  WorkerPool* pool() { return &pool_; }

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

using Keys = std::vector<std::pair<std::string, std::string>>;

// Returns the order in which one thread runs jobs that are submitted in this
// order.
Keys OrderOf(const Keys& submitted) {
  Keys order;
  {
    OccupiedPool pool({100, 0});
    for (const auto& [caller, project] : submitted) {
      EXPECT_TRUE(pool.pool()->TrySubmit(
          {caller, project}, 0, [&order, caller = caller, project = project] {
            order.emplace_back(caller, project);
          }));
    }
  }
  return order;
}

TEST(WorkerPoolTest, ProjectsTakeTurns) {
  EXPECT_EQ(
      OrderOf({{"x", "a"}, {"x", "a"}, {"x", "a"}, {"x", "b"}, {"x", "c"}}),
      (Keys{{"x", "a"}, {"x", "b"}, {"x", "c"}, {"x", "a"}, {"x", "a"}}));
}

TEST(WorkerPoolTest, CallersTakeTurnsWhateverTheirProjects) {
  EXPECT_EQ(
      OrderOf({{"x", "a"}, {"x", "b"}, {"x", "c"}, {"y", "a"}, {"y", "a"}}),
      (Keys{{"x", "a"}, {"y", "a"}, {"x", "b"}, {"y", "a"}, {"x", "c"}}));
}

TEST(WorkerPoolTest, ANewProjectOfABusyCallerIsNext) {
  int runs = 0;
  int new_ran_at = 0;
  {
    OccupiedPool pool({100, 0});
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(pool.pool()->TrySubmit({"x", std::to_string(i % 6)}, 0, [&] {
        if (++runs != 10) return;
        EXPECT_TRUE(pool.pool()->TrySubmit({"x", "new"}, 0,
                                           [&] { new_ran_at = runs; }));
      }));
    }
  }
  EXPECT_EQ(runs, 40);
  EXPECT_EQ(new_ran_at, 10);
}

// Submits 40 jobs of one caller, spread over `projects` projects, which end
// only after a job with the key `last` has run. Returns whether that job runs.
bool RunsBesideSlowOnes(int projects, const WorkerPool::Key& last) {
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  std::promise<void> last_ran;
  WorkerPool pool(5, {100, 0});
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(pool.TrySubmit({"slow", std::to_string(i % projects)}, 0,
                               [released] { released.wait(); }));
  }
  EXPECT_TRUE(pool.TrySubmit(last, 0, [&last_ran] { last_ran.set_value(); }));
  const bool ran = last_ran.get_future().wait_for(std::chrono::seconds(20)) ==
                   std::future_status::ready;
  release.set_value();
  return ran;
}

TEST(WorkerPoolTest, OneCallerNeverOccupiesAllThreads) {
  for (const int projects : {1, 2, 6, 40}) {
    EXPECT_TRUE(RunsBesideSlowOnes(projects, {"other", "0"})) << projects;
  }
}

TEST(WorkerPoolTest, OneProjectNeverOccupiesAllThreadsOfItsCaller) {
  EXPECT_TRUE(RunsBesideSlowOnes(1, {"slow", "other"}));
}

}  // namespace
}  // namespace tokenusage
