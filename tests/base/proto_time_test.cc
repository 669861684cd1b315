// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/proto_time.h"

#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(ProtoTimeTest, NanosSurviveATimestamp) {
  for (const std::int64_t nanos :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, kNanosPerSecond - 1,
        -kNanosPerSecond, -kNanosPerSecond - 1,
        std::numeric_limits<std::int64_t>::min() + kNanosPerSecond,
        std::numeric_limits<std::int64_t>::max()}) {
    const auto timestamp = TimestampFromNanos(nanos);
    EXPECT_TRUE(HasValidNanos(timestamp)) << nanos;
    EXPECT_EQ(NanosFromTimestamp(timestamp), nanos);
  }
}

TEST(ProtoTimeTest, TimesFarAwayAreClamped) {
  EXPECT_EQ(TimestampFromTime(absl::InfinitePast()).seconds(), -9'223'372'037);
  EXPECT_EQ(TimestampFromTime(absl::InfiniteFuture()).seconds(), 9'223'372'036);
}

}  // namespace
}  // namespace tokenusage
