// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/fair_queue.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace {

using Queue = FairQueue<std::string>;

void Push(Queue* queue, const std::string& key, const std::string& item,
          std::int64_t work = 1) {
  std::string pushed = item;
  ASSERT_TRUE(queue->TryPush(key, {1, work}, std::move(pushed)));
}

std::vector<std::string> PopAll(Queue* queue) {
  std::vector<std::string> items;
  while (!queue->empty()) items.push_back(queue->Pop());
  return items;
}

TEST(FairQueueTest, KeepsTheOrderOfOneKey) {
  Queue queue(1000, 1);
  for (const char* item : {"1", "2", "3"}) Push(&queue, "a", item);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(PopAll(&queue), (std::vector<std::string>{"1", "2", "3"}));
}

TEST(FairQueueTest, KeysTakeTurns) {
  Queue queue(1000, 1);
  for (const char* item : {"a1", "a2", "a3", "a4"}) Push(&queue, "a", item);
  Push(&queue, "b", "b1");
  for (const char* item : {"c1", "c2"}) Push(&queue, "c", item);
  EXPECT_EQ(PopAll(&queue), (std::vector<std::string>{"a1", "b1", "c1", "a2",
                                                      "c2", "a3", "a4"}));
}

TEST(FairQueueTest, ATurnIsAQuantumOfWork) {
  Queue queue(1000, 10);
  for (const char* item : {"a1", "a2", "a3"}) Push(&queue, "a", item, 10);
  for (const char* item : {"b1", "b2", "b3"}) Push(&queue, "b", item, 4);
  // b saves the 2 that it did not use.
  EXPECT_EQ(PopAll(&queue),
            (std::vector<std::string>{"a1", "b1", "b2", "a2", "b3", "a3"}));
}

TEST(FairQueueTest, AnItemLargerThanTheQuantumWaitsForItsTurns) {
  Queue queue(1000, 10);
  Push(&queue, "a", "large", 35);
  for (int i = 0; i < 5; ++i) Push(&queue, "b", std::to_string(i), 10);
  EXPECT_EQ(PopAll(&queue),
            (std::vector<std::string>{"0", "1", "2", "large", "3", "4"}));
}

TEST(FairQueueTest, WhoWasAloneOwesNothing) {
  Queue queue(1 << 20, 1);
  for (int i = 0; i < 1000; ++i) Push(&queue, "a", "a");
  for (int i = 0; i < 900; ++i) queue.Pop();
  for (int i = 0; i < 3; ++i) Push(&queue, "b", "b");
  std::vector<std::string> first;
  for (int i = 0; i < 6; ++i) first.push_back(queue.Pop());
  EXPECT_EQ(std::count(first.begin(), first.end(), "a"), 3);
}

TEST(FairQueueTest, ItsSpaceIsBounded) {
  FairQueue<std::unique_ptr<int>> queue(100, 1);
  const auto push = [&queue](const std::string& key, std::int64_t space) {
    auto item = std::make_unique<int>(1);
    const bool taken = queue.TryPush(key, {space, 1}, std::move(item));
    EXPECT_EQ(item == nullptr, taken);  // what is refused stays the caller's
    return taken;
  };
  EXPECT_TRUE(push("a", 1000));  // alone, whatever its size
  EXPECT_FALSE(push("a", 1));
  EXPECT_FALSE(push("b", 0));
  queue.Pop();
  EXPECT_TRUE(push("a", 60));
  EXPECT_FALSE(push("b", 41));
  EXPECT_TRUE(push("b", 40));
  EXPECT_FALSE(push("c", 1));
  EXPECT_EQ(queue.space(), 100);
  while (!queue.empty()) queue.Pop();
  EXPECT_EQ(queue.space(), 0);
}

// Checks the queue against a model: every item comes out once, in its key's
// order, and no key gets more than three quanta ahead of another that waits.
TEST(FairQueueTest, IsFairAtRandom) {
  std::mt19937_64 random(testing::TestSeed());
  FairQueue<std::pair<int, int>> queue(1 << 30, 50);
  std::map<int, std::pair<int, int>> next;  // key -> pushed, popped
  std::map<int, std::int64_t> work_done;    // since a key last ran empty
  for (int step = 0; step < 20000; ++step) {
    const int key = static_cast<int>(random() % 5);
    if (random() % 2 == 0) {
      auto& [pushed, popped] = next[key];
      if (pushed == popped) {
        // The others' lead counts from here.
        for (auto& [other, work] : work_done) work = 0;
      }
      const auto work = static_cast<std::int64_t>(1 + random() % 50);
      ASSERT_TRUE(
          queue.TryPush(std::to_string(key), {1, work}, {key, pushed++}));
    } else if (!queue.empty()) {
      const std::int64_t work = queue.NextWork();
      const auto [from, number] = queue.Pop();
      ASSERT_EQ(number, next[from].second++);
      work_done[from] += work;
      for (const auto& [other, counts] : next) {
        if (counts.first == counts.second) continue;
        ASSERT_LE(work_done[from] - work_done[other], 3 * 50);
      }
      if (next[from].first == next[from].second) {
        for (auto& [other, done] : work_done) done = 0;
      }
    }
  }
}

}  // namespace
}  // namespace tokenusage
