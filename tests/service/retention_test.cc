// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/retention.h"

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage::testing {
namespace {

TEST(ParseRetentionTest, TakesDaysAndHours) {
  EXPECT_EQ(ParseRetention("90d").value(), absl::Hours(90 * 24));
  EXPECT_EQ(ParseRetention("36h").value(), absl::Hours(36));
  EXPECT_EQ(ParseRetention("1h").value(), absl::Hours(1));
  EXPECT_EQ(ParseRetention("36500d").value(), absl::Hours(36500 * 24));
  for (const char* wrong :
       {"", "d", "h", "0d", "0h", "-1d", "+1d", " 1d", "1 d", "1.5d", "90",
        "1w", "36501d", "876001h", "99999999999d", "1dd", "1d "}) {
    EXPECT_THAT(ParseRetention(wrong),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::HasSubstr("90d or 36h")))
        << wrong;
  }
}

TEST(RetentionHorizonTest, CountsBackFromTheEarlierOfClockAndNewestRecord) {
  const absl::Time now = Time("2026-08-10T12:34:56Z");
  const auto horizon = [&](absl::Time newest) {
    return RetentionHorizon(now, newest, absl::Hours(24));
  };
  EXPECT_EQ(horizon(now), Time("2026-08-09T12:00:00Z"));
  EXPECT_EQ(horizon(now + absl::Minutes(5)), Time("2026-08-09T12:00:00Z"));
  EXPECT_EQ(horizon(Time("2026-08-08T00:00:00Z")),
            Time("2026-08-07T00:00:00Z"));
  EXPECT_EQ(horizon(absl::InfinitePast()), std::nullopt);
  EXPECT_EQ(horizon(Time("2000-01-02T00:00:00Z")),
            Time("2000-01-01T00:00:00Z"));
  EXPECT_EQ(horizon(Time("2000-01-01T23:59:59Z")), std::nullopt);
}

// A store with a record in each hour of 2026-08-01, and fake clocks.
class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() { Fill("p", "2026-08-01T00:00:00Z"); }

  // Appends 24 records, one an hour.
  void Fill(const std::string& project, const char* start) {
    std::vector<v1::UsageRecord> records;
    for (int hour = 0; hour < 24; ++hour) {
      records.push_back(
          ValidRecord("r" + std::to_string(hour),
                      Nanos(start) + hour * std::int64_t{3600'000'000'000}));
    }
    store_->Append(project, CheckedOf(records)).value();
  }

  absl::Time HorizonOf(const std::string& project = "p") {
    const auto all = store_->maintenance()->Retention().value();
    for (const ProjectRetention& one : all) {
      if (one.project == project) return one.horizon;
    }
    return absl::InfinitePast();
  }

  std::unique_ptr<Retention> Start(std::optional<absl::Duration> retain) {
    return std::make_unique<Retention>(
        store_->maintenance(), retain,
        Retention::Clocks{[this] { return now_; },
                          [this] { return elapsed_; }});
  }

  absl::StatusOr<Retention::Outcome> Run(Retention* retention,
                                         bool cancelled = false) {
    Retention::Outcome outcome;
    const absl::Status status =
        retention->Run([cancelled] { return cancelled; }, &outcome);
    if (!status.ok()) return status;
    return outcome;
  }

  // Returns the number of records that a run removes.
  std::int64_t Removed(Retention* retention) {
    const auto outcome = Run(retention);
    EXPECT_THAT(outcome, IsOk());
    return outcome.ok() ? outcome->record_count : -1;
  }

  void Pass(absl::Duration time) {
    now_ += time;
    elapsed_ += time;
  }

  std::unique_ptr<UsageStore> store_ = NewMemoryStore();
  absl::Time now_ = Time("2026-08-01T23:30:00Z");
  absl::Duration elapsed_ = absl::Hours(1000);
};

TEST_F(RetentionTest, MovesWithTheHours) {
  const auto retention = Start(absl::Hours(20));
  EXPECT_EQ(Removed(retention.get()), 3);
  EXPECT_EQ(HorizonOf(), Time("2026-08-01T03:00:00Z"));
  EXPECT_EQ(Removed(retention.get()), 0);
  Pass(absl::Hours(5));
  // No further than the newest record allows.
  EXPECT_EQ(Removed(retention.get()), 0);
  EXPECT_EQ(HorizonOf(), Time("2026-08-01T03:00:00Z"));
  store_->Append("p", CheckedOf({ValidRecord("n", absl::ToUnixNanos(now_))}))
      .value();
  const auto outcome = Run(retention.get());
  ASSERT_THAT(outcome, IsOk());
  EXPECT_EQ(outcome->record_count, 5);
  EXPECT_EQ(outcome->project_count, 1);
  EXPECT_EQ(HorizonOf(), Time("2026-08-01T08:00:00Z"));
}

TEST_F(RetentionTest, NewRecordsOfOneProjectDoNotRemoveOldOnesOfAnother) {
  Fill("idle", "2026-07-01T00:00:00Z");
  Fill("busy", "2026-07-31T23:00:00Z");
  const auto outcome = Run(Start(absl::Hours(20)).get());
  ASSERT_THAT(outcome, IsOk());
  // Of each project, the records that are more than 20 hours older than its
  // newest one.
  EXPECT_EQ(outcome->record_count, 3 * 3);
  EXPECT_EQ(outcome->project_count, 3);
  EXPECT_EQ(HorizonOf("idle"), Time("2026-07-01T03:00:00Z"));
  EXPECT_EQ(HorizonOf("busy"), Time("2026-08-01T02:00:00Z"));
  EXPECT_EQ(HorizonOf("p"), Time("2026-08-01T03:00:00Z"));
}

TEST_F(RetentionTest, AProjectsOwnTimeTakesThePlaceOfTheDefault) {
  Fill("q", "2026-08-01T00:00:00Z");
  StoreMaintenance& maintenance = *store_->maintenance();
  ASSERT_THAT(maintenance.SetRetention("q", absl::Hours(10)), IsOk());
  EXPECT_EQ(Removed(Start(absl::Hours(20)).get()), 3 + 13);
  EXPECT_EQ(HorizonOf("p"), Time("2026-08-01T03:00:00Z"));
  EXPECT_EQ(HorizonOf("q"), Time("2026-08-01T13:00:00Z"));
  // Without a default, all records of the others are kept.
  ASSERT_THAT(maintenance.SetRetention("q", absl::Hours(5)), IsOk());
  EXPECT_EQ(Removed(Start(std::nullopt).get()), 5);
  EXPECT_EQ(HorizonOf("p"), Time("2026-08-01T03:00:00Z"));
}

TEST_F(RetentionTest, AnEmptyStoreGetsNoHorizon) {
  store_ = NewMemoryStore();
  EXPECT_EQ(Removed(Start(absl::Hours(20)).get()), 0);
  EXPECT_EQ(HorizonOf(), absl::InfinitePast());
}

TEST_F(RetentionTest, AClockThatIsSetForwardRemovesNothing) {
  const auto retention = Start(absl::Hours(20));
  now_ += absl::Hours(24 * 365);
  // Reporters on the same machine have the same clock.
  store_->Append("p", CheckedOf({ValidRecord("n", absl::ToUnixNanos(now_))}))
      .value();
  EXPECT_THAT(Run(retention.get()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr("set forward by 8760h")));
  EXPECT_EQ(HorizonOf(), absl::InfinitePast());
}

TEST_F(RetentionTest, AClockMayBeSetByAnHour) {
  const auto retention = Start(absl::Hours(20));
  const absl::Time right = now_;
  now_ = right + absl::Minutes(59);
  EXPECT_EQ(Removed(retention.get()), 3);
  now_ = right + absl::Minutes(61);
  EXPECT_THAT(Run(retention.get()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  now_ = right - absl::Minutes(61);
  EXPECT_EQ(Removed(retention.get()), 0);
}

TEST_F(RetentionTest, AClockThatIsWrongAtTheStartRemovesNothingNew) {
  now_ += absl::Hours(24 * 365);
  const auto retention = Start(absl::Hours(20));
  Removed(retention.get());
  EXPECT_EQ(HorizonOf(), Time("2026-08-01T03:00:00Z"));
}

TEST_F(RetentionTest, AClockThatIsSetBackMovesNothingBack) {
  const auto retention = Start(absl::Hours(20));
  Removed(retention.get());
  now_ -= absl::Hours(24 * 365 * 20);
  Removed(retention.get());
  now_ -= absl::Hours(24 * 365 * 20);
  Removed(retention.get());
  EXPECT_EQ(HorizonOf(), Time("2026-08-01T03:00:00Z"));
}

TEST_F(RetentionTest, StopsIfCancelled) {
  const auto retention = Start(absl::Hours(20));
  EXPECT_THAT(Run(retention.get(), /*cancelled=*/true),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(RetentionTest, TheThreadRunsAtOnceAndEnds) {
  store_
      ->Append("p",
               CheckedOf({ValidRecord("n", absl::ToUnixNanos(absl::Now()))}))
      .value();
  std::promise<std::int64_t> removed;
  RetentionThread::Events events;
  events.on_removal = [&](const Retention::Outcome& outcome) {
    removed.set_value(outcome.record_count);
  };
  events.on_error = [](const absl::Status& status) { ADD_FAILURE() << status; };
  const RetentionThread thread(store_->maintenance(), absl::Hours(1),
                               std::move(events));
  EXPECT_EQ(removed.get_future().get(), 24);
}

TEST_F(RetentionTest, TheThreadTellsWhatItRemovedBesidesAFailure) {
  for (const char* project : {"broken", "p"}) {
    store_
        ->Append(project,
                 CheckedOf({ValidRecord("n", absl::ToUnixNanos(absl::Now()))}))
        .value();
  }
  // Would put the horizon into a time that no store takes.
  ASSERT_THAT(store_->maintenance()->SetRetention("broken",
                                                  absl::Hours(-24 * 366 * 200)),
              IsOk());
  std::int64_t removed = 0;
  std::promise<absl::Status> failed;
  RetentionThread::Events events;
  events.on_removal = [&](const Retention::Outcome& outcome) {
    removed = outcome.record_count;
  };
  events.on_error = [&](const absl::Status& status) {
    failed.set_value(status);
  };
  {
    const RetentionThread thread(store_->maintenance(), absl::Hours(1),
                                 std::move(events));
    EXPECT_THAT(failed.get_future().get(),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(removed, 24);
}

}  // namespace
}  // namespace tokenusage::testing
