// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/repeater.h"

#include <future>
#include <thread>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(RepeaterTest, RunsAtOnceAndAfterEachDelay) {
  std::promise<void> third;
  int runs = 0;
  const Repeater repeater([&] {
    if (++runs == 3) third.set_value();
    return runs < 3 ? absl::Milliseconds(1) : absl::InfiniteDuration();
  });
  third.get_future().wait();
}

TEST(RepeaterTest, IsWokenDuringTheJobAndAfterIt) {
  std::promise<void> started;
  std::promise<void> may_end;
  std::promise<void> second;
  std::promise<void> third;
  int runs = 0;
  Repeater repeater([&] {
    switch (++runs) {
      case 1:
        started.set_value();
        may_end.get_future().wait();
        break;
      case 2:
        second.set_value();
        break;
      case 3:
        third.set_value();
        break;
    }
    return absl::InfiniteDuration();
  });
  started.get_future().wait();
  repeater.Wake();
  may_end.set_value();
  second.get_future().wait();
  repeater.Wake();
  third.get_future().wait();
}

TEST(RepeaterTest, TellsALongJobThatItEnds) {
  std::promise<const Repeater*> self;
  std::promise<void> started;
  bool finished = false;
  {
    const Repeater repeater([&] {
      const Repeater* const me = self.get_future().get();
      started.set_value();
      while (!me->ending()) std::this_thread::yield();
      finished = true;
      return absl::InfiniteDuration();
    });
    self.set_value(&repeater);
    started.get_future().wait();
  }
  EXPECT_TRUE(finished);
}

}  // namespace
}  // namespace tokenusage
