// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/answer_deadlines.h"

#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kForever = absl::Seconds(60);

// gRPC may run OnDone, which removes the answer, before TryCancel returns.
TEST(AnswerDeadlinesTest, ACancelledCallMayEndAtOnce) {
  auto deadlines = std::make_unique<AnswerDeadlines>(absl::Milliseconds(10));
  AnswerDeadlines::Token token;
  absl::Notification added;
  absl::Notification ended;
  token = deadlines->Add([&] {
    added.WaitForNotification();
    deadlines->Remove(token);
    ended.Notify();
  });
  added.Notify();
  if (ended.WaitForNotificationWithTimeout(kForever)) return;
  static_cast<void>(deadlines.release());  // its destructor would wait as well
  FAIL() << "Remove does not return";
}

TEST(AnswerDeadlinesTest, AnAnswerThatWasWrittenIsNotCancelled) {
  AnswerDeadlines deadlines(absl::Milliseconds(10));
  deadlines.Remove(deadlines.Add([] { FAIL() << "cancelled after Remove"; }));
  // By the time a later answer expires, the first one would have.
  absl::Notification cancelled;
  const auto token = deadlines.Add([&] { cancelled.Notify(); });
  EXPECT_TRUE(cancelled.WaitForNotificationWithTimeout(kForever));
  deadlines.Remove(token);
}

}  // namespace
}  // namespace tokenusage
