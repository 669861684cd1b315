// SPDX-License-Identifier: Apache-2.0

// The contract of AppendAsync, Append and GetRecord.

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/record/same_content.h"

namespace tokenusage::testing {
namespace {

using Outcomes = std::vector<AppendOutcome>;
constexpr auto kStored = AppendOutcome::kStored;
constexpr auto kDuplicate = AppendOutcome::kDuplicate;
constexpr auto kConflict = AppendOutcome::kConflict;
constexpr auto kTooFarAhead = AppendOutcome::kTooFarAhead;
constexpr auto kCardinalityLimit = AppendOutcome::kCardinalityLimit;

constexpr char kNoon[] = "2026-08-01T12:00:00Z";
constexpr char kUuid[] = "01982f7c-7b3a-7000-8000-00000000002a";

const UsageQuery& WholeTime() {
  static const auto* const query =
      new UsageQuery(QueryOf("2000-01-01T00:00:00Z", "2200-01-01T00:00:00Z"));
  return *query;
}

std::vector<std::string> Total(int count, const std::string& tokens) {
  return {"2000-01-01T00:00:00Z/2200-01-01T00:00:00Z [] " +
          std::to_string(count) + " " + tokens};
}

TEST_P(UsageStoreContract, AnEmptyStoreHasNothing) {
  EXPECT_EQ(Rows(WholeTime()), std::vector<std::string>());
  EXPECT_EQ(AllIds(&store(), RecordQueryOf("2000-01-01T00:00:00Z",
                                           "2200-01-01T00:00:00Z")),
            std::vector<std::string>());
  EXPECT_EQ(store().GetRecord("p", "a").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(UsageStoreContract, AnEmptyBatchHasNoOutcomes) {
  EXPECT_EQ(Append({}), Outcomes());
}

TEST_P(UsageStoreContract, StoresOnceHoweverOftenItIsAppended) {
  const v1::UsageRecord record = RecordAt(kUuid, kNoon, 8105.75);
  EXPECT_EQ(AppendOne(record), kStored);
  EXPECT_EQ(AppendOne(record), kDuplicate);
  EXPECT_EQ(AppendOne(record), kDuplicate);
  EXPECT_EQ(Rows(WholeTime()), Total(1, "8105.75"));
}

TEST_P(UsageStoreContract, RefusesOtherContentUnderAStoredId) {
  for (const std::string& id : {std::string(kUuid), std::string("req-1")}) {
    const v1::UsageRecord record = RecordAt(id, kNoon, 1);
    EXPECT_EQ(AppendOne(record), kStored);
    EXPECT_EQ(AppendOne(RecordAt(id, kNoon, 2)), kConflict);
    EXPECT_EQ(AppendOne(RecordAt(id, "2026-08-02T12:00:00Z", 1)), kConflict);
    v1::UsageRecord other = record;
    other.set_model("another, never seen before");
    EXPECT_EQ(AppendOne(other), kConflict);
    EXPECT_EQ(AppendOne(other).differing_field, "model");
    EXPECT_EQ(AppendOne(record), kDuplicate);
  }
  EXPECT_EQ(Rows(WholeTime()), Total(2, "2"));
  UsageQuery by_model = WholeTime();
  by_model.group_by = {{UsageField::Kind::kModel, ""}};
  EXPECT_EQ(Rows(by_model).size(), 1u);
}

TEST_P(UsageStoreContract, ComparesContentAndNotAmountsOrBytes) {
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, 0.0)), kStored);
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, -0.0)), kConflict);
  EXPECT_EQ(AppendOne(RecordAt("b", kNoon, 0.3)), kStored);
  EXPECT_EQ(AppendOne(RecordAt("b", kNoon, 0.1 + 0.2)), kConflict);

  // Unknown fields are content; the order in which they come is not.
  const auto unknown = [](v1::UsageRecord* record) {
    return record->GetReflection()->MutableUnknownFields(record);
  };
  v1::UsageRecord c1 = RecordAt("c", kNoon, 1);
  unknown(&c1)->AddVarint(1000, 1);
  unknown(&c1)->AddVarint(1001, 2);
  v1::UsageRecord c2 = RecordAt("c", kNoon, 1);
  unknown(&c2)->AddVarint(1001, 2);
  unknown(&c2)->AddVarint(1000, 1);
  EXPECT_EQ(AppendOne(c1), kStored);
  EXPECT_EQ(AppendOne(c2), kDuplicate);
  EXPECT_EQ(AppendOne(RecordAt("c", kNoon, 1)), kConflict);
}

TEST_P(UsageStoreContract, WithinABatchTheEarlierRecordWins) {
  EXPECT_EQ(Append({RecordAt("a", kNoon, 1), RecordAt("a", kNoon, 2),
                    RecordAt("b", kNoon, 4), RecordAt("a", kNoon, 1),
                    RecordAt("b", kNoon, 4), RecordAt("a", kNoon, 2)}),
            (Outcomes{kStored, kConflict, kStored, kDuplicate, kDuplicate,
                      kConflict}));
  EXPECT_EQ(Rows(WholeTime()), Total(2, "5"));
}

TEST_P(UsageStoreContract, IdsAreComparedByteForByte) {
  const std::string upper = "01982F7C-7B3A-7000-8000-00000000002A";
  const std::string ids[] = {kUuid,
                             upper,
                             "01982f7c-7b3a-7000-8000-00000000002A",
                             "01982f7c7b3a7000800000000000002a",
                             "01982f7c-7b3a-7000-8000-00000000002",
                             "01982f7c-7b3a-7000-8000-00000000002a0",
                             "a",
                             "A",
                             "0",
                             "00",
                             "0.0",
                             "1e0"};
  int tokens = 0;
  for (const std::string& id : ids) {
    EXPECT_EQ(AppendOne(RecordAt(id, kNoon, ++tokens)), kStored) << id;
  }
  tokens = 0;
  for (const std::string& id : ids) {
    EXPECT_EQ(AppendOne(RecordAt(id, kNoon, ++tokens)), kDuplicate) << id;
    EXPECT_EQ(store().GetRecord("p", id)->orq_images_edits().total_tokens(),
              tokens);
  }
}

TEST_P(UsageStoreContract, ProjectsAreSeparate) {
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, 1)), kStored);
  EXPECT_EQ(store().Append("q", CheckedOf({RecordAt("a", kNoon, 2)})).value(),
            Outcomes{kStored});
  EXPECT_EQ(Rows(WholeTime()), Total(1, "1"));
  UsageQuery other = WholeTime();
  other.projects = {"q"};
  EXPECT_EQ(Rows(other), Total(1, "2"));
  EXPECT_EQ(store().GetRecord("q", "a")->orq_images_edits().total_tokens(), 2);
  EXPECT_THAT(store().GetRecord("r", "a"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(UsageStoreContract, AStoredRecordComesBeforeTheCheckOfItsTime) {
  const auto append = [&](const std::string& id, int minutes) {
    const auto batch = CheckedOf({RecordAt(id, kNoon, 1)},
                                 Time(kNoon) - absl::Minutes(minutes));
    return store().Append("p", batch).value().at(0);
  };
  EXPECT_EQ(append("a", 6), kTooFarAhead);
  EXPECT_THAT(store().GetRecord("p", "a"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Rows(WholeTime()), std::vector<std::string>());
  EXPECT_EQ(append("a", 5), kStored);
  EXPECT_EQ(append("a", 6), kDuplicate);

  // A record that is refused leaves its id free, within a batch as well.
  const auto batch = CheckedOf(
      {RecordAt("b", "2026-08-01T12:06:00Z", 1), RecordAt("b", kNoon, 1),
       RecordAt("b", "2026-08-01T12:06:00Z", 1)},
      Time(kNoon));
  EXPECT_EQ(store().Append("p", batch).value(),
            (Outcomes{kTooFarAhead, kStored, kConflict}));
  EXPECT_EQ(Rows(WholeTime()), Total(2, "2"));
}

TEST_P(UsageStoreContract, LimitsTheSeriesOfAProject) {
  const auto record = [](int series) {
    v1::UsageRecord made = RecordAt("id-" + std::to_string(series), kNoon, 1);
    made.set_model("m" + std::to_string(series));
    return made;
  };
  for (int first = 0; first < kMaxSeriesPerProject; first += 1000) {
    std::vector<v1::UsageRecord> batch;
    for (int i = 0; i < 1000; ++i) batch.push_back(record(first + i));
    ASSERT_EQ(Append(std::move(batch)), Outcomes(1000, kStored));
  }
  EXPECT_EQ(AppendOne(record(kMaxSeriesPerProject)), kCardinalityLimit);
  EXPECT_THAT(store().GetRecord("p", "id-10000"),
              StatusIs(absl::StatusCode::kNotFound));

  // Stored records are answered as before, and known series still work.
  EXPECT_EQ(AppendOne(record(3)), kDuplicate);
  v1::UsageRecord known = record(5);
  known.set_record_id("new");
  v1::UsageRecord unknown_model = record(5);
  unknown_model.set_model("one more");
  v1::UsageRecord unknown_provider = record(5);
  unknown_provider.set_record_id("new-too");
  unknown_provider.set_provider("one more");
  v1::UsageRecord correction = unknown_provider;
  correction.set_corrects("id-5");
  EXPECT_EQ(
      Append({known, unknown_model, unknown_provider, correction}),
      (Outcomes{kStored, kConflict, kCardinalityLimit, kCardinalityLimit}));
  EXPECT_EQ(store().GetRecord("p", "id-5")->corrected_by(), "");
  EXPECT_EQ(Rows(WholeTime()), Total(kMaxSeriesPerProject + 1, "10001"));

  // The limit is each project's own.
  EXPECT_EQ(
      store().Append("q", CheckedOf({record(kMaxSeriesPerProject)})).value(),
      Outcomes{kStored});
}

TEST_P(UsageStoreContract, RefusedRecordsLeaveNoSeriesBehind) {
  // If the series of refused records counted, the last append would exceed the
  // limit.
  ASSERT_EQ(AppendOne(RecordAt("taken", kNoon, 1)), kStored);
  for (int batch = 0; batch < 11; ++batch) {
    std::vector<v1::UsageRecord> records;
    for (int i = 0; i < 1000; ++i) {
      v1::UsageRecord conflict = RecordAt("taken", kNoon, 2);
      conflict.set_model("m" + std::to_string(1000 * batch + i));
      records.push_back(std::move(conflict));
    }
    ASSERT_EQ(Append(records), Outcomes(1000, kConflict));
  }
  v1::UsageRecord record = RecordAt("new", kNoon, 1);
  record.set_model("new");
  EXPECT_EQ(AppendOne(record), kStored);
}

TEST_P(UsageStoreContract, GivesBackTheRecordAsItWasReported) {
  for (const std::string& id : {std::string(kUuid), std::string("req-1")}) {
    v1::UsageRecord record = ValidRecord(id, Nanos(kNoon) + 1);
    (*record.mutable_labels())["team"] = "";
    record.GetReflection()->MutableUnknownFields(&record)->AddVarint(1000, 7);
    EXPECT_EQ(AppendOne(record), kStored);
    const absl::StatusOr<v1::UsageRecord> got = store().GetRecord("p", id);
    ASSERT_THAT(got, IsOk());
    EXPECT_TRUE(SameContent(*got, record)) << got->DebugString();
    EXPECT_EQ(got->receive_time().seconds(),
              absl::ToUnixSeconds(ReceiveTime()));
  }
  EXPECT_EQ(store().GetRecord("p", "req-2").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(UsageStoreContract, KeepsTheProvidersObjectVerbatim) {
  const std::string object("{\"a\" : 1e400,\r\n\t\"a\":\"\xC3\xA4\0\"} // ",
                           29);
  v1::UsageRecord record = RecordAt("a", kNoon, 1);
  record.set_usage_json(object);
  EXPECT_EQ(AppendOne(record), kStored);
  EXPECT_EQ(store().GetRecord("p", "a")->usage_json(), object);
  EXPECT_EQ(AppendOne(record), kDuplicate);
  record.set_usage_json(object + " ");
  EXPECT_EQ(AppendOne(record), kConflict);
  record.clear_usage_json();
  EXPECT_EQ(AppendOne(record), kConflict);
}

TEST_P(UsageStoreContract, TheReceiveTimeIsThatOfTheFirstReport) {
  ASSERT_THAT(
      store().Append("p", CheckedOf({RecordAt("a", kNoon, 1)}, Time(kNoon))),
      IsOk());
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, 1)), kDuplicate);
  EXPECT_EQ(store().GetRecord("p", "a")->receive_time().seconds(),
            absl::ToUnixSeconds(Time(kNoon)));
}

TEST_P(UsageStoreContract, StoresNothingOfABatchWhoseLimitsAreReached) {
  const auto append = [this](CallLimits limits) {
    std::promise<AppendResult> answer;
    store().AppendAsync("p", CheckedOf({RecordAt("a", kNoon, 1)}),
                        std::move(limits), [&answer](AppendResult result) {
                          answer.set_value(std::move(result));
                        });
    return answer.get_future().get();
  };
  CallLimits late;
  late.deadline = absl::Now() - absl::Milliseconds(1);
  EXPECT_EQ(append(late).status().code(), absl::StatusCode::kDeadlineExceeded);
  CallLimits gone;
  gone.is_cancelled = [] { return true; };
  EXPECT_EQ(append(gone).status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(store().GetRecord("p", "a"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Rows(WholeTime()), std::vector<std::string>());

  CallLimits ample;
  ample.deadline = absl::Now() + absl::Hours(1);
  ample.is_cancelled = [] { return false; };
  EXPECT_EQ(append(ample).value(), Outcomes{kStored});
}

TEST_P(UsageStoreContract, AnswersEveryAsynchronousAppendOnce) {
  constexpr int kBatches = 200;
  std::atomic<int> answered{0};
  std::atomic<int> stored{0};
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<v1::UsageRecord> records;
    for (int i = 0; i < 3; ++i) {
      records.push_back(RecordAt(
          "id-" + std::to_string(batch) + "-" + std::to_string(i), kNoon, 1));
    }
    store().AppendAsync("p", CheckedOf(records), CallLimits(),
                        [&](AppendResult result) {
                          if (result.ok() && *result == Outcomes(3, kStored))
                            stored += 3;
                          ++answered;
                        });
  }
  EXPECT_EQ(AppendOne(RecordAt("last", kNoon, 1)), kStored);
  for (int i = 0; i < 1000 && answered != kBatches; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(answered, kBatches);
  EXPECT_EQ(stored, 3 * kBatches);
  EXPECT_EQ(Rows(WholeTime()), Total(3 * kBatches + 1, "601"));
}

TEST_P(UsageStoreContract, ConcurrentReportersOfTheSameRecordsAreCountedOnce) {
  constexpr int kThreads = 6;
  constexpr int kRecords = 60;
  std::atomic<int> stored{0};
  std::atomic<int> inconsistent{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRecords; ++i) {
        // Each thread has another order; every second record is twice in its
        // batch.
        const int n = (i * 7 + t * 11) % kRecords;
        const std::vector<v1::UsageRecord> records(
            static_cast<std::size_t>(1 + n % 2),
            RecordAt("id-" + std::to_string(n), kNoon, n));
        const AppendResult result = store().Append("p", CheckedOf(records));
        for (const AppendOutcome& outcome : result.value()) {
          if (outcome == kStored) ++stored;
        }
        // Answered appends are visible.
        const auto page = store().Query(WholeTime());
        if (!page.ok() || page->rows.empty() ||
            !store().GetRecord("p", "id-" + std::to_string(n)).ok()) {
          ++inconsistent;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, kRecords);
  EXPECT_EQ(inconsistent, 0);
  EXPECT_EQ(Rows(WholeTime()), Total(kRecords, "1770"));
}

}  // namespace
}  // namespace tokenusage::testing
