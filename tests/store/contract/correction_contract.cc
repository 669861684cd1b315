// SPDX-License-Identifier: Apache-2.0

// The contract of corrections.

#include <cstddef>
#include <string>
#include <string_view>
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
using Texts = std::vector<std::string>;
constexpr auto kStored = AppendOutcome::kStored;
constexpr auto kDuplicate = AppendOutcome::kDuplicate;
constexpr auto kConflict = AppendOutcome::kConflict;
constexpr auto kBeforeHorizon = AppendOutcome::kBeforeHorizon;
constexpr auto kNotFound = AppendOutcome::kCorrectedRecordNotFound;

constexpr char kNoon[] = "2026-08-01T12:00:00Z";
constexpr char kOnePm[] = "2026-08-01T13:00:00Z";
constexpr char kUuid[] = "01982f7c-7b3a-7000-8000-00000000002a";
constexpr char kOtherUuid[] = "01982f7c-7b3a-7000-8000-00000000002b";

AppendOutcome CorrectedBy(const std::string& id) {
  return {AppendOutcome::kAlreadyCorrected, id};
}

v1::UsageRecord Correction(std::string_view id, const std::string& corrects,
                           double tokens, std::string_view time = kNoon) {
  v1::UsageRecord record = RecordAt(id, time, tokens);
  record.set_corrects(corrects);
  return record;
}

v1::UsageRecord Void(std::string_view id, const std::string& corrects,
                     std::string_view time = kNoon) {
  v1::UsageRecord record = Correction(id, corrects, 0, time);
  record.clear_usage();
  return record;
}

UsageQuery Day(v1::TimeBucket bucket = v1::TIME_BUCKET_NONE) {
  return QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z", bucket);
}

Texts Total(int count, const std::string& tokens) {
  return {"2026-08-01T00:00:00Z/2026-08-02T00:00:00Z [] " +
          std::to_string(count) + " " + tokens};
}

// Returns queries of the same total, which is read from hours, from quarter
// hours, and from records.
std::vector<UsageQuery> AllPlans() {
  UsageQuery by_label = Day();
  by_label.filters = {{LabelField("none"), {}, true}};
  return {Day(), QueryOf("2026-08-01T11:45:00Z", "2026-08-01T13:15:00Z"),
          QueryOf("2026-08-01T11:59:59Z", "2026-08-01T13:00:01Z"), by_label};
}

std::string CorrectedByOf(UsageStore* store, const std::string& id) {
  const absl::StatusOr<v1::UsageRecord> record = store->GetRecord("p", id);
  return record.ok() ? record->corrected_by() : record.status().ToString();
}

TEST_P(UsageStoreContract, ACorrectionCountsInsteadOfWhatItCorrects) {
  for (const auto& [id, correction] :
       {std::pair<std::string, std::string>{"a", kOtherUuid}, {kUuid, "b"}}) {
    const v1::UsageRecord original = RecordAt(id, kNoon, 8105.75);
    EXPECT_EQ(AppendOne(original), kStored);
    EXPECT_EQ(AppendOne(Correction(correction, id, 100, kOnePm)), kStored);

    const auto corrected = store().GetRecord("p", id);
    ASSERT_THAT(corrected, IsOk());
    EXPECT_TRUE(SameContent(*corrected, original));
    EXPECT_EQ(corrected->corrected_by(), correction);
    EXPECT_EQ(store().GetRecord("p", correction)->corrects(), id);
    EXPECT_EQ(CorrectedByOf(&store(), correction), "");
  }
  for (const UsageQuery& query : AllPlans()) {
    const absl::StatusOr<UsageQueryPage> page = store().Query(query);
    ASSERT_THAT(page, IsOk());
    ASSERT_EQ(page->rows.size(), 1u);
    EXPECT_EQ(SumText(page->rows[0].sum),
              "2 records, 0 inconsistent, 0 unknown; total_tokens 200 of 2, "
              "input_tokens 200 of 2, output_tokens 0 of 2, "
              "input_text_tokens 0 of 2, input_image_tokens 0 of 2");
  }
}

TEST_P(UsageStoreContract, AVoidTakesARecordBackAndDoesNotCountEither) {
  Append({RecordAt("a", kNoon, 1), RecordAt(kUuid, kOnePm, 2)});
  EXPECT_EQ(AppendOne(Void("va", "a", kOnePm)), kStored);
  for (const UsageQuery& query : AllPlans()) {
    const Texts rows = Rows(query);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].substr(rows[0].find('[')), "[] 1 2");
  }
  EXPECT_EQ(AppendOne(Void(kOtherUuid, kUuid)), kStored);
  for (const UsageQuery& query : AllPlans()) EXPECT_EQ(Rows(query), Texts());
  EXPECT_EQ(Rows(Day(v1::TIME_BUCKET_HOUR)), Texts());
  EXPECT_EQ(Rows(Day(v1::TIME_BUCKET_MINUTE)), Texts());

  RecordQuery list =
      RecordQueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  const absl::StatusOr<RecordPage> page = store().ListRecords(list);
  ASSERT_THAT(page, IsOk());
  Texts listed;
  for (const v1::UsageRecord& record : page->records) {
    listed.push_back(record.record_id() + " corrected by " +
                     record.corrected_by());
  }
  EXPECT_EQ(listed, (Texts{std::string(kOtherUuid) + " corrected by ",
                           "a corrected by va",
                           std::string(kUuid) + " corrected by " + kOtherUuid,
                           "va corrected by "}));
}

TEST_P(UsageStoreContract, ACorrectionCanItselfBeCorrected) {
  Append({RecordAt("a", kNoon, 1), RecordAt("z", kNoon, 64)});
  EXPECT_EQ(AppendOne(Correction("b", "a", 2)), kStored);
  EXPECT_EQ(AppendOne(Correction("c", "b", 4)), kStored);
  EXPECT_EQ(Rows(Day()), Total(2, "68"));
  EXPECT_EQ(AppendOne(Void("d", "c")), kStored);
  EXPECT_EQ(Rows(Day()), Total(1, "64"));
  EXPECT_EQ(AppendOne(Correction("e", "d", 8)), kStored);
  EXPECT_EQ(Rows(Day()), Total(2, "72"));
  EXPECT_EQ(AppendOne(Void("f", "e")), kStored);
  EXPECT_EQ(AppendOne(Void("g", "f")), kStored);
  EXPECT_EQ(Rows(Day()), Total(1, "64"));
  EXPECT_EQ(CorrectedByOf(&store(), "a"), "b");
  EXPECT_EQ(CorrectedByOf(&store(), "d"), "e");
  EXPECT_EQ(CorrectedByOf(&store(), "g"), "");
}

TEST_P(UsageStoreContract, ARecordIsCorrectedOnce) {
  Append({RecordAt("a", kNoon, 1), Correction("b", "a", 2)});
  EXPECT_EQ(AppendOne(Correction("c", "a", 4)), CorrectedBy("b"));
  EXPECT_EQ(AppendOne(Void("d", "a")), CorrectedBy("b"));
  EXPECT_THAT(store().GetRecord("p", "c"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(CorrectedByOf(&store(), "a"), "b");
  EXPECT_EQ(Rows(Day()), Total(1, "2"));
  // An id whose record was refused is free.
  EXPECT_EQ(AppendOne(Correction("c", "b", 4)), kStored);
  EXPECT_EQ(Rows(Day()), Total(1, "4"));
}

TEST_P(UsageStoreContract, WithinABatchLaterRecordsCorrectEarlierOnes) {
  EXPECT_EQ(
      Append({Correction("b", "a", 1), RecordAt("a", kNoon, 2),
              Correction("b", "a", 4), Correction("c", "b", 8),
              Correction("d", "a", 16), Void("e", "c"), Correction("b", "a", 4),
              Correction("b", "a", 32), Correction("c", "b", 8),
              Correction("f", "e", 64), RecordAt("a", kNoon, 2)}),
      (Outcomes{kNotFound, kStored, kStored, kStored, CorrectedBy("b"), kStored,
                kDuplicate, kConflict, kDuplicate, kStored, kDuplicate}));
  for (const UsageQuery& query : AllPlans()) {
    const Texts rows = Rows(query);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].substr(rows[0].find('[')), "[] 1 64");
  }
  EXPECT_EQ(CorrectedByOf(&store(), "a"), "b");
  EXPECT_EQ(CorrectedByOf(&store(), "b"), "c");
  EXPECT_EQ(CorrectedByOf(&store(), "c"), "e");
  EXPECT_EQ(CorrectedByOf(&store(), "e"), "f");
  EXPECT_EQ(CorrectedByOf(&store(), "f"), "");
}

TEST_P(UsageStoreContract, WhatABatchTakesBackLeavesNoTotal) {
  EXPECT_EQ(Append({RecordAt("a", kNoon, 1), Void("b", "a")}),
            (Outcomes{kStored, kStored}));
  EXPECT_EQ(Rows(Day()), Texts());
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

TEST_P(UsageStoreContract, OnlyAStoredRecordOfTheProjectCanBeCorrected) {
  EXPECT_EQ(AppendOne(Correction("b", "a", 1)), kNotFound);
  EXPECT_EQ(AppendOne(Void("c", "a")), kNotFound);
  EXPECT_EQ(store().Append("q", CheckedOf({RecordAt("a", kNoon, 2)})).value(),
            Outcomes{kStored});
  EXPECT_EQ(AppendOne(Correction("b", "a", 1)), kNotFound);
  EXPECT_EQ(Rows(Day()), Texts());
  UsageQuery other = Day();
  other.projects = {"q"};
  EXPECT_EQ(Rows(other), Total(1, "2"));
  EXPECT_THAT(store().GetRecord("p", "b"),
              StatusIs(absl::StatusCode::kNotFound));

  // The refused correction can be sent again after the record that it corrects.
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, 4)), kStored);
  EXPECT_EQ(AppendOne(Correction("b", "a", 1)), kStored);
  EXPECT_EQ(Rows(Day()), Total(1, "1"));
}

TEST_P(UsageStoreContract, ARefusedCorrectionLeavesItsIdToALaterRecord) {
  Append({RecordAt("z", kNoon, 64)});
  const v1::UsageRecord record = RecordAt("b", kOnePm, 2);
  EXPECT_EQ(Append({Correction("b", "a", 1), record}),
            (Outcomes{kNotFound, kStored}));
  const auto stored = store().GetRecord("p", "b");
  ASSERT_THAT(stored, IsOk());
  EXPECT_TRUE(SameContent(*stored, record));
  EXPECT_EQ(Rows(Day()), Total(2, "66"));
}

TEST_P(UsageStoreContract, RepeatsAreDuplicatesBeforeAndAfterACorrection) {
  const v1::UsageRecord original = RecordAt("a", kNoon, 1);
  const v1::UsageRecord correction = Correction("b", "a", 2);
  const v1::UsageRecord taken_back = Void("c", "b");
  Append({original, correction});
  EXPECT_EQ(AppendOne(original), kDuplicate);
  EXPECT_EQ(AppendOne(correction), kDuplicate);
  EXPECT_EQ(AppendOne(taken_back), kStored);
  EXPECT_EQ(AppendOne(correction), kDuplicate);
  EXPECT_EQ(AppendOne(taken_back), kDuplicate);
  EXPECT_EQ(AppendOne(RecordAt("a", kNoon, 3)), kConflict);
  EXPECT_EQ(AppendOne(Correction("b", "a", 3)), kConflict);
  EXPECT_EQ(AppendOne(Correction("b", "z", 2)), kConflict);
  EXPECT_EQ(AppendOne(RecordAt("b", kNoon, 2)), kConflict);
  EXPECT_EQ(AppendOne(Void("b", "a")), kConflict);
  EXPECT_EQ(Rows(Day()), Texts());
  EXPECT_EQ(CorrectedByOf(&store(), "a"), "b");
  EXPECT_EQ(CorrectedByOf(&store(), "b"), "c");
}

TEST_P(UsageStoreContract, ACorrectionCountsAtItsOwnTimeAndNames) {
  v1::UsageRecord original = RecordAt("a", kNoon, 1);
  (*original.mutable_labels())["team"] = "red";
  v1::UsageRecord correction = Correction("b", "a", 2, "2026-08-01T15:20:00Z");
  correction.set_model("m2");
  (*correction.mutable_labels())["team"] = "blue";
  Append({original, correction, RecordAt("z", kNoon, 64)});

  UsageQuery by_model = Day(v1::TIME_BUCKET_HOUR);
  by_model.group_by = {{UsageField::Kind::kModel, ""}};
  EXPECT_EQ(Rows(by_model),
            (Texts{"2026-08-01T12:00:00Z/2026-08-01T13:00:00Z ['gpt-image-1'] "
                   "1 64",
                   "2026-08-01T15:00:00Z/2026-08-01T16:00:00Z ['m2'] 1 2"}));
  UsageQuery by_team = Day();
  by_team.group_by = {LabelField("team")};
  EXPECT_EQ(Rows(by_team),
            (Texts{"2026-08-01T00:00:00Z/2026-08-02T00:00:00Z [-] 1 64",
                   "2026-08-01T00:00:00Z/2026-08-02T00:00:00Z ['blue'] 1 2"}));
}

TEST_P(UsageStoreContract, AMeasureThatNoRecordStatesAnyMoreDisappears) {
  v1::UsageRecord pages = RecordAt("a", kNoon, 0);
  pages.mutable_token_usage()->set_pages(0.1);
  v1::UsageRecord more_pages = RecordAt("b", kNoon, 0);
  more_pages.mutable_token_usage()->set_pages(0.2);
  v1::UsageRecord unknown = RecordAt("c", kNoon, 0);
  unknown.mutable_usage_unknown()->set_reason(v1::UNKNOWN_USAGE_REASON_NULL);
  const v1::UsageRecord contradictory = ValidRecord("d", Nanos(kNoon));
  Append({pages, more_pages, unknown, contradictory});
  const auto sum = [this](const UsageQuery& query) {
    const auto page = store().Query(query);
    return page.ok() && page->rows.size() == 1 ? SumText(page->rows[0].sum)
                                               : page.status().ToString();
  };
  v1::UsageRecord images = Correction("ca", "a", 0);
  images.mutable_token_usage()->set_images(0);
  Append({images, Void("vd", "d")});
  for (const UsageQuery& query : AllPlans()) {
    EXPECT_EQ(sum(query),
              "3 records, 0 inconsistent, 1 unknown; images 0 of 1, "
              "pages 0.2 of 1");
  }
  Append({Void("vb", "b"), Void("vc", "c")});
  for (const UsageQuery& query : AllPlans()) {
    EXPECT_EQ(sum(query),
              "1 records, 0 inconsistent, 0 unknown; images 0 of 1");
  }
}

TEST_P(UsageStoreContract, NothingBeforeTheHorizonCanBeCorrected) {
  Append({RecordAt("old", kNoon, 1), RecordAt("new", kOnePm, 2),
          RecordAt("moved", kNoon, 4), Correction("later", "moved", 8, kOnePm),
          RecordAt("kept", kOnePm, 16), Correction("earlier", "kept", 32)});
  EXPECT_EQ(Rows(Day()), Total(4, "43"));
  ASSERT_THAT(
      maintenance().RemoveRecordsBefore("p", Time(kOnePm), CallLimits()),
      IsOk());
  EXPECT_EQ(Rows(Day()), Total(4, "43"));

  EXPECT_EQ(AppendOne(Correction("b", "new", 64)), kBeforeHorizon);
  EXPECT_EQ(AppendOne(Correction("b", "old", 64, kOnePm)), kNotFound);
  EXPECT_EQ(AppendOne(Void("b", "earlier", kOnePm)), kNotFound);
  // A record that a removed one corrects stays corrected.
  EXPECT_EQ(AppendOne(Void("b", "kept", kOnePm)), CorrectedBy("earlier"));
  EXPECT_EQ(CorrectedByOf(&store(), "kept"), "earlier");
  EXPECT_EQ(Rows(Day()), Total(4, "43"));
  EXPECT_EQ(AppendOne(Void("b", "later", kOnePm)), kStored);
  EXPECT_EQ(Rows(Day()), Total(3, "35"));

  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  ASSERT_THAT(maintenance().RebuildRollups(CallLimits()), IsOk());
  EXPECT_EQ(Rows(Day()), Total(3, "35"));
}

TEST_P(UsageStoreContract, RebuiltTotalsLeaveOutWhatIsCorrected) {
  Append({RecordAt("a", kNoon, 1), Correction("b", "a", 2, kOnePm),
          RecordAt(kUuid, kNoon, 4), Void(kOtherUuid, kUuid),
          RecordAt("c", kNoon, 8)});
  Append({Correction("d", "b", 16, "2026-08-01T16:00:00Z")});
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  const Texts before = Rows(Day(v1::TIME_BUCKET_HOUR));
  EXPECT_EQ(before.size(), 2u);
  const auto rebuild = maintenance().RebuildRollups(CallLimits());
  ASSERT_THAT(rebuild, IsOk());
  EXPECT_EQ(rebuild->record_count, 6);
  EXPECT_EQ(Rows(Day(v1::TIME_BUCKET_HOUR)), before);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  EXPECT_EQ(AppendOne(Void("e", "d")), kStored);
  EXPECT_EQ(Rows(Day()), Total(1, "8"));
}

TEST_P(UsageStoreContract, OfCorrectionsThatRaceOneWins) {
  constexpr int kThreads = 6;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = "r" + std::to_string(round);
    ASSERT_EQ(AppendOne(RecordAt(id, kNoon, 1)), kStored);
    std::vector<AppendResult> results(kThreads, absl::UnknownError(""));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        // Half of them repeat the original first.
        std::vector<v1::UsageRecord> batch;
        if (i % 2 == 0) batch.push_back(RecordAt(id, kNoon, 1));
        batch.push_back(Correction(id + "-" + std::to_string(i), id, 2));
        results[static_cast<std::size_t>(i)] =
            store().Append("p", CheckedOf(batch));
      });
    }
    for (std::thread& thread : threads) thread.join();
    const std::string winner = CorrectedByOf(&store(), id);
    for (int i = 0; i < kThreads; ++i) {
      const AppendResult& result = results[static_cast<std::size_t>(i)];
      ASSERT_THAT(result, IsOk());
      if (i % 2 == 0) {
        EXPECT_EQ(result->front(), kDuplicate);
      }
      EXPECT_EQ(result->back(), winner == id + "-" + std::to_string(i)
                                    ? AppendOutcome(kStored)
                                    : CorrectedBy(winner));
    }
  }
  EXPECT_EQ(Rows(Day()), Total(kRounds, std::to_string(2 * kRounds)));
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
}

}  // namespace
}  // namespace tokenusage::testing
