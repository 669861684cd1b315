// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/admission_budget.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

using Share = AdmissionBudget::Share;

TEST(AdmissionBudgetTest, GivesBackWhatIsDestroyed) {
  AdmissionBudget budget(100);
  {
    const std::optional<Share> all = budget.TryTake(100);
    ASSERT_TRUE(all.has_value());
    EXPECT_FALSE(budget.TryTake(1).has_value());
    EXPECT_EQ(budget.taken(), 100);
  }
  EXPECT_EQ(budget.taken(), 0);
  EXPECT_TRUE(budget.TryTake(1).has_value());
}

TEST(AdmissionBudgetTest, TakesWhatIsTooLargeWhereItIsAlone) {
  AdmissionBudget budget(100);
  std::optional<Share> large = budget.TryTake(1000);
  ASSERT_TRUE(large.has_value());
  EXPECT_TRUE(large->TryAssign("a"));
  EXPECT_FALSE(budget.TryTake(1).has_value());
}

// Takes shares of 1 for a project until one is refused. Returns the number of
// shares that it got.
int Flood(AdmissionBudget* budget, const std::string& project,
          std::vector<Share>* shares) {
  for (int count = 0;; ++count) {
    std::optional<Share> share = budget->TryTake(1);
    if (!share || !share->TryAssign(project)) return count;
    shares->push_back(*std::move(share));
  }
}

TEST(AdmissionBudgetTest, AProjectMayTakeWhatIsFree) {
  AdmissionBudget budget(100);
  std::vector<Share> shares;
  EXPECT_EQ(Flood(&budget, "a", &shares), 50);
  EXPECT_EQ(Flood(&budget, "b", &shares), 25);
  EXPECT_EQ(Flood(&budget, "c", &shares), 13);
  EXPECT_EQ(Flood(&budget, "a", &shares), 0);
  EXPECT_EQ(budget.taken(), 88);
  shares.clear();
  EXPECT_EQ(Flood(&budget, "c", &shares), 50);
}

TEST(AdmissionBudgetTest, GrowsEvenBeyondTheBudget) {
  AdmissionBudget budget(100);
  std::optional<Share> share = budget.TryTake(10);
  share->GrowTo(5);
  EXPECT_EQ(budget.taken(), 10);
  ASSERT_TRUE(share->TryAssign("a"));
  share->GrowTo(150);
  EXPECT_EQ(budget.taken(), 150);
  EXPECT_FALSE(budget.TryTake(1).has_value());
  share.reset();
  EXPECT_EQ(budget.taken(), 0);
  std::vector<Share> shares;
  EXPECT_EQ(Flood(&budget, "a", &shares), 50);
}

TEST(AdmissionBudgetTest, CallsOnceSomethingIsGivenBack) {
  AdmissionBudget budget(100);
  std::optional<Share> first = budget.TryTake(60);
  ASSERT_TRUE(first->TryAssign("a"));
  std::optional<Share> second = budget.TryTake(40);
  int takes = 0;
  int assigns = 0;
  EXPECT_FALSE(budget.TryTake(1, [&takes] { ++takes; }).has_value());
  EXPECT_FALSE(second->TryAssign("a", [&assigns] { ++assigns; }));
  EXPECT_EQ(takes + assigns, 0);
  first.reset();
  EXPECT_EQ(takes, 1);
  EXPECT_EQ(assigns, 1);
  EXPECT_TRUE(second->TryAssign("a", [&assigns] { ++assigns; }));
  second.reset();
  EXPECT_EQ(takes, 1);
  EXPECT_EQ(assigns, 1);
}

TEST(AdmissionBudgetTest, AwaitsTheLastShareAndItsCallbacks) {
  AdmissionBudget budget(100);
  budget.AwaitReturn();  // nothing to wait for
  std::optional<Share> share = budget.TryTake(100);
  std::atomic<bool> called{false};
  ASSERT_FALSE(budget.TryTake(1, [&called] {
    // A wait that did not include this call would end in the meantime.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    called = true;
  }));
  std::thread holder([&share] { share.reset(); });
  budget.AwaitReturn();
  EXPECT_TRUE(called);
  EXPECT_EQ(budget.taken(), 0);
  holder.join();
}

}  // namespace
}  // namespace tokenusage
