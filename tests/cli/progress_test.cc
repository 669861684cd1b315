// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/progress.h"

#include <optional>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(ProgressTest, ShowsRateAndTimeLeft) {
  EXPECT_EQ(FormatProgress("records", 1200, 0.6, absl::Seconds(3)),
            "1200 records, 60 %, 400/s, 2s left");
  EXPECT_EQ(FormatProgress("records", 10, 0.001, absl::Seconds(10)),
            "10 records, 0 %, 1/s, 2h46m30s left");
}

TEST(ProgressTest, ShowsNoTimeLeftIfTheEndIsUnknown) {
  EXPECT_EQ(FormatProgress("lines", 1200, std::nullopt, absl::Seconds(3)),
            "1200 lines, 400/s");
}

TEST(ProgressTest, ShowsNoRateInTheFirstSecond) {
  EXPECT_EQ(FormatProgress("records", 5, 0.5, absl::Milliseconds(10)),
            "5 records, 50 %");
  EXPECT_EQ(FormatProgress("records", 0, 0.0, absl::Seconds(2)),
            "0 records, 0 %, 0/s");
}

TEST(ProgressTest, KnowsThePartOfAWindowThatIsDone) {
  EXPECT_EQ(FractionBetween(100, 125, 200), 0.25);
  EXPECT_EQ(FractionBetween(100, 200, 200), 1.0);
  EXPECT_EQ(FractionBetween(100, 100, 200), std::nullopt);
}

TEST(ProgressTest, IsQuietWithoutATerminal) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("records");
    progress.Show(1, 0.5);
    absl::SleepFor(absl::Milliseconds(300));
    progress.Show(2, 1);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace tokenusage
