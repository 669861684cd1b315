// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/connection_limits.h"

#include <sys/resource.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kMiB = 1 << 20;

ConnectionState Holding(std::int64_t bytes, bool is_identified) {
  ConnectionState state;
  state.is_identified = is_identified;
  state.live_calls = 1;
  state.pending_bytes = bytes;
  return state;
}

class ConnectionLimitsTest : public testing::Test {
 protected:
  ConnectionLimitsTest() {
    limits_.max_pending_bytes = 10 * kMiB;
    limits_.max_unidentified_pending_bytes = 2 * kMiB;
  }

  ConnectionLimits limits_;
};

TEST_F(ConnectionLimitsTest, NothingIsClosedAtTheLimits) {
  EXPECT_THAT(ConnectionsToClose({}, limits_), IsEmpty());
  EXPECT_THAT(ConnectionsToClose(
                  {Holding(8 * kMiB, true), Holding(2 * kMiB, false)}, limits_),
              IsEmpty());
}

TEST_F(ConnectionLimitsTest, NewCallersStay) {
  EXPECT_THAT(ConnectionsToClose({Holding(9 * kMiB, true), Holding(1000, false),
                                  Holding(kMiB + 1, true)},
                                 limits_),
              ElementsAre(0));
}

TEST_F(ConnectionLimitsTest, TheUnidentifiedGoFirst) {
  EXPECT_THAT(
      ConnectionsToClose({Holding(7 * kMiB, true), Holding(2 * kMiB, true),
                          Holding(kMiB / 2, false), Holding(kMiB, false)},
                         limits_),
      ElementsAre(3));
}

TEST_F(ConnectionLimitsTest, ThenThoseThatHoldMost) {
  EXPECT_THAT(
      ConnectionsToClose({Holding(3 * kMiB, true), Holding(6 * kMiB, true),
                          Holding(2 * kMiB, true), Holding(5 * kMiB, true)},
                         limits_),
      ElementsAre(1));
}

TEST_F(ConnectionLimitsTest, TheUnidentifiedHaveLess) {
  EXPECT_THAT(
      ConnectionsToClose({Holding(4 * kMiB, true), Holding(kMiB, false),
                          Holding(kMiB, false), Holding(kMiB + 1, false)},
                         limits_),
      ElementsAre(3));
}

TEST_F(ConnectionLimitsTest, TooManyCalls) {
  ConnectionState state = Holding(0, true);
  state.live_calls = limits_.max_live_calls;
  EXPECT_THAT(ConnectionsToClose({state}, limits_), IsEmpty());
  ++state.live_calls;
  EXPECT_THAT(ConnectionsToClose({state}, limits_), ElementsAre(0));
}

ConnectionState Calling(int calls, bool is_identified) {
  ConnectionState state = Holding(0, is_identified);
  state.live_calls = calls;
  return state;
}

TEST_F(ConnectionLimitsTest, TooManyCallsOfAllConnections) {
  limits_.max_total_calls = 100;
  limits_.max_unidentified_calls = 20;
  EXPECT_THAT(
      ConnectionsToClose({Calling(80, true), Calling(20, false)}, limits_),
      IsEmpty());
  EXPECT_THAT(ConnectionsToClose({Calling(70, true), Calling(5, false),
                                  Calling(10, false), Calling(6, false)},
                                 limits_),
              ElementsAre(2));
  EXPECT_THAT(
      ConnectionsToClose(
          {Calling(40, true), Calling(50, true), Calling(11, true)}, limits_),
      ElementsAre(1));
}

TEST_F(ConnectionLimitsTest, AStalledRequest) {
  ConnectionState state = Holding(kMiB, true);
  state.silence = limits_.max_stall + absl::Seconds(1);
  EXPECT_THAT(ConnectionsToClose({state}, limits_), IsEmpty());
  state.live_calls = 0;
  EXPECT_THAT(ConnectionsToClose({state}, limits_), ElementsAre(0));
  state.pending_bytes = 1000;
  EXPECT_THAT(ConnectionsToClose({state}, limits_), IsEmpty());
}

ConnectionState Unread(int bytes) {
  ConnectionState state;
  state.unread_bytes = bytes;
  return state;
}

class ThrottlingTest : public testing::Test {
 protected:
  ThrottlingTest() {
    limits_.max_live_calls = 50;
    limits_.max_unidentified_calls = 100;
    limits_.max_total_calls = 300;
  }

  ConnectionLimits limits_;
};

TEST_F(ThrottlingTest, FewSilentConnectionsMaySendAtAnyTime) {
  EXPECT_THAT(ConnectionsToThrottle({}, 0, limits_), IsEmpty());
  EXPECT_THAT(
      ConnectionsToThrottle({Unread(0), Unread(0), Unread(0), Calling(0, true)},
                            0, limits_),
      ElementsAre(false, false, true, false));
}

TEST_F(ThrottlingTest, ConnectionsAreReadWhileThereIsRoom) {
  // 32 bytes are 3 calls at most, and 1 MiB is 50.
  EXPECT_THAT(
      ConnectionsToThrottle(
          {Unread(kMiB), Unread(32), Unread(kMiB), Unread(32)}, 0, limits_),
      ElementsAre(false, false, true, false));
  EXPECT_THAT(ConnectionsToThrottle({Unread(kMiB), Unread(32)}, 51, limits_),
              ElementsAre(true, false));
}

TEST_F(ThrottlingTest, CallsOfIdentifiedConnectionsLeaveRoom) {
  EXPECT_THAT(ConnectionsToThrottle(
                  {Calling(200, true), Unread(32), Unread(kMiB)}, 240, limits_),
              ElementsAre(false, false, false));
  EXPECT_THAT(ConnectionsToThrottle(
                  {Calling(200, true), Unread(32), Unread(kMiB)}, 260, limits_),
              ElementsAre(false, false, true));
}

TEST_F(ThrottlingTest, OneIsReadIfOpenConnectionsLeaveNoRoom) {
  EXPECT_THAT(
      ConnectionsToThrottle({Calling(100, false), Unread(kMiB), Unread(kMiB)},
                            150, limits_),
      ElementsAre(false, false, true));
  // First the calls of closed connections must end.
  EXPECT_THAT(
      ConnectionsToThrottle({Calling(100, false), Unread(kMiB), Unread(kMiB)},
                            151, limits_),
      ElementsAre(false, true, true));
}

TEST_F(ThrottlingTest, AllAreThrottledBeyondTheLimitOfAllCalls) {
  EXPECT_THAT(
      ConnectionsToThrottle({Calling(300, true), Unread(32)}, 300, limits_),
      ElementsAre(false, false));
  EXPECT_THAT(
      ConnectionsToThrottle({Calling(301, true), Unread(32)}, 352, limits_),
      ElementsAre(true, true));
}

TEST_F(ConnectionLimitsTest, FitsToDescriptors) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 1000) GTEST_SKIP() << "too few descriptors";
  rlimit few = {300, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  limits_.max_connections = 400;
  EXPECT_EQ(FitToDescriptors(limits_).max_connections, 400);
  rlimit raised = {};
  getrlimit(RLIMIT_NOFILE, &raised);
  EXPECT_EQ(raised.rlim_cur, 928u);
  limits_.max_connections = 100'000'000;
  const ConnectionLimits fit = FitToDescriptors(limits_);
  EXPECT_EQ(static_cast<rlim_t>(fit.max_connections),
            (before.rlim_max - 128) / 2);
  limits_.other_connections = 100'000'000;
  const ConnectionLimits both = FitToDescriptors(limits_);
  EXPECT_EQ(static_cast<rlim_t>(both.other_connections), before.rlim_max / 5);
  EXPECT_EQ(static_cast<rlim_t>(both.max_connections),
            (before.rlim_max - 128 - before.rlim_max / 5) / 2);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace tokenusage
