// SPDX-License-Identifier: Apache-2.0

// The contract of StoreMaintenance.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/store/contract/usage_store_contract.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage::testing {
namespace {

using Outcomes = std::vector<AppendOutcome>;
using Texts = std::vector<std::string>;
constexpr auto kStored = AppendOutcome::kStored;
constexpr auto kDuplicate = AppendOutcome::kDuplicate;
constexpr auto kConflict = AppendOutcome::kConflict;
constexpr auto kBeforeHorizon = AppendOutcome::kBeforeHorizon;

constexpr char kUuid[] = "01982f7c-7b3a-7000-8000-00000000002a";
constexpr char kHorizon[] = "2026-08-01T12:00:00Z";

// Returns four records before kHorizon, one at it and one after; 63 tokens in
// all.
std::vector<v1::UsageRecord> Records() {
  std::vector<v1::UsageRecord> records = {
      RecordAt("a", "2026-07-31T23:59:59.999999999Z", 1),
      RecordAt("b", "2026-08-01T11:20:00Z", 2),
      RecordAt(kUuid, "2026-08-01T11:44:59.999999999Z", 4),
      RecordAt("d", "2026-08-01T11:59:59.999999999Z", 8),
      RecordAt("e", kHorizon, 16),
      RecordAt("f", "2026-08-01T12:20:00Z", 32)};
  (*records[1].mutable_labels())["team"] = "red";
  records[2].set_model("m2");
  return records;
}

absl::StatusOr<std::int64_t> Remove(UsageStore* store,
                                    const std::string& horizon,
                                    const std::string& project = "p") {
  const auto removal = store->maintenance()->RemoveRecordsBefore(
      project, Time(horizon), CallLimits());
  if (!removal.ok()) return removal.status();
  return removal->record_count;
}

// Returns the retention of a project. Its name is empty if there is no such
// project.
ProjectRetention RetentionOf(UsageStore* store,
                             const std::string& project = "p") {
  const auto all = store->maintenance()->Retention().value();
  for (const ProjectRetention& one : all) {
    if (one.project == project) return one;
  }
  return {"", absl::InfinitePast(), absl::ZeroDuration(), absl::InfinitePast(),
          absl::InfinitePast()};
}

absl::StatusCode CodeOf(UsageStore* store, const UsageQuery& query) {
  const absl::Status status = store->Query(query).status();
  EXPECT_EQ(HorizonOf(status).horizon, status.ok() ? "" : kHorizon) << status;
  return status.code();
}

constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
constexpr auto kAnswered = absl::StatusCode::kOk;

TEST_P(UsageStoreContract, ANewStoreHasNoHorizonAndNoProblems) {
  EXPECT_TRUE(maintenance().Retention().value().empty());
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  EXPECT_EQ(maintenance().RebuildRollups(CallLimits())->record_count, 0);
  Append(Records());
  const ProjectRetention kept = RetentionOf(&store());
  EXPECT_EQ(kept.horizon, absl::InfinitePast());
  EXPECT_EQ(kept.retain, absl::ZeroDuration());
  EXPECT_EQ(kept.oldest, Time("2026-07-31T23:59:59.999999999Z"));
  EXPECT_EQ(kept.newest, Time("2026-08-01T12:20:00Z"));
}

TEST_P(UsageStoreContract, RemovedRecordsStayInTotalsAndNowhereElse) {
  Append(Records());
  const UsageQuery whole =
      QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
  UsageQuery by_model = whole;
  by_model.group_by = {{UsageField::Kind::kModel, ""}};
  by_model.bucket = v1::TIME_BUCKET_HOUR;
  const Texts total = Rows(whole);
  const Texts models = Rows(by_model);
  ASSERT_EQ(models.size(), 4u);

  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  EXPECT_EQ(RetentionOf(&store()).horizon, Time(kHorizon));
  EXPECT_EQ(RetentionOf(&store()).oldest, Time(kHorizon));
  EXPECT_EQ(Rows(whole), total);
  EXPECT_EQ(Rows(by_model), models);
  for (const std::string id : {"a", "b", kUuid, "d"}) {
    EXPECT_EQ(store().GetRecord("p", id).status().code(),
              absl::StatusCode::kNotFound);
  }
  EXPECT_THAT(store().GetRecord("p", "e"), IsOk());
  EXPECT_EQ(AllIds(&store(), RecordQueryOf(kHorizon, "2026-09-01T00:00:00Z")),
            (Texts{"e", "f"}));

  // Nothing is left to remove before this horizon; a later one removes the
  // rest.
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 0);
  EXPECT_EQ(Remove(&store(), "2026-08-01T13:00:00Z").value(), 2);
  EXPECT_EQ(Rows(whole), total);
  EXPECT_EQ(RetentionOf(&store()).newest, absl::InfinitePast());
  EXPECT_EQ(RetentionOf(&store()).oldest, absl::InfinitePast());
}

TEST_P(UsageStoreContract, TheHorizonIsAWholeHourAndNeverMovesBack) {
  Append(Records());
  for (const char* wrong : {"2026-08-01T12:00:01Z", "2026-08-01T12:15:00Z",
                            "2026-08-01T12:00:00.000000001Z",
                            "1999-12-31T23:00:00Z", "2200-01-01T01:00:00Z"}) {
    EXPECT_EQ(Remove(&store(), wrong).status().code(),
              absl::StatusCode::kInvalidArgument)
        << wrong;
  }
  EXPECT_EQ(maintenance()
                .RemoveRecordsBefore("p", absl::InfiniteFuture(), CallLimits())
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RetentionOf(&store()).horizon, absl::InfinitePast());
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  EXPECT_EQ(Remove(&store(), "2026-08-01T10:00:00Z").value(), 0);
  EXPECT_EQ(RetentionOf(&store()).horizon, Time(kHorizon));
}

TEST_P(UsageStoreContract, ANewReportBeforeTheHorizonIsRefused) {
  Append(Records());
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  const v1::UsageRecord at_horizon = RecordAt("g", kHorizon, 64);
  v1::UsageRecord new_series = RecordAt("h", "2026-08-01T11:00:00Z", 1);
  new_series.set_model("never seen");
  v1::UsageRecord conflict = RecordAt("e", "2026-08-01T11:00:00Z", 16);
  EXPECT_EQ(Append({RecordAt("x", "2026-08-01T11:59:59.999999999Z", 1),
                    at_horizon, RecordAt("b", "2026-08-01T11:20:00Z", 2),
                    new_series, conflict, RecordAt("e", kHorizon, 16)}),
            (Outcomes{kBeforeHorizon, kStored, kBeforeHorizon, kBeforeHorizon,
                      kConflict, kDuplicate}));
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z")),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 7 127"}));
  // The id of a removed record is free.
  EXPECT_EQ(AppendOne(RecordAt("b", "2026-08-01T12:00:00Z", 128)), kStored);
  // Other projects have separate horizons.
  EXPECT_EQ(
      store()
          .Append("q", CheckedOf({RecordAt("a", "2026-08-01T11:00:00Z", 1)}))
          .value(),
      Outcomes{kStored});
}

TEST_P(UsageStoreContract, QueriesThatNeedRemovedRecordsAreRefused) {
  Append(Records());
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  const auto code = [&](const char* start, const char* end,
                        v1::TimeBucket bucket = v1::TIME_BUCKET_NONE,
                        const char* zone = "UTC") {
    return CodeOf(&store(), QueryOf(start, end, bucket, zone));
  };
  EXPECT_EQ(code("2026-08-01T11:15:00Z", "2026-08-01T11:45:00Z"), kAnswered);
  EXPECT_EQ(code("2026-08-01T11:15:01Z", "2026-08-01T11:45:00Z"), kRefused);
  EXPECT_EQ(code("2026-08-01T11:15:00Z", "2026-08-01T11:45:01Z"), kRefused);
  EXPECT_EQ(code("2026-08-01T11:15:00Z", "2026-08-01T12:07:03Z"), kAnswered);
  EXPECT_EQ(code("2026-08-01T12:00:00.5Z", "2026-08-01T12:07:03Z"), kAnswered);
  EXPECT_EQ(code("2026-08-01T11:00:00Z", "2026-08-01T13:00:00Z",
                 v1::TIME_BUCKET_MINUTE),
            kRefused);
  EXPECT_EQ(code("2026-08-01T12:00:00Z", "2026-08-01T13:00:00Z",
                 v1::TIME_BUCKET_MINUTE),
            kAnswered);
  for (const char* zone : {"Asia/Kathmandu", "Europe/Berlin"}) {
    EXPECT_EQ(code("2026-07-01T00:00:00Z", "2026-08-03T00:00:00Z",
                   v1::TIME_BUCKET_DAY, zone),
              kAnswered);
  }
  UsageQuery labels = QueryOf("2026-08-01T11:00:00Z", "2026-08-01T13:00:00Z");
  labels.group_by = {LabelField("team")};
  EXPECT_EQ(CodeOf(&store(), labels), kRefused);
  labels.window = {Nanos(kHorizon), Nanos("2026-08-01T13:00:00Z")};
  EXPECT_EQ(CodeOf(&store(), labels), kAnswered);
  labels.group_by.clear();
  labels.window.start_nanos -= 1;
  labels.filters = {{LabelField("team"), {"red"}, false}};
  EXPECT_EQ(CodeOf(&store(), labels), kRefused);

  EXPECT_EQ(Rows(QueryOf("2026-08-01T11:15:00Z", "2026-08-01T11:30:00Z")),
            (Texts{"2026-08-01T11:15:00Z/2026-08-01T11:30:00Z [] 1 2"}));
  // Other projects are not affected.
  UsageQuery other = QueryOf("2026-08-01T11:15:01Z", "2026-08-01T11:45:00Z");
  other.projects = {"q"};
  EXPECT_EQ(CodeOf(&store(), other), kAnswered);
}

TEST_P(UsageStoreContract, ListsThatStartBeforeTheHorizonAreRefused) {
  Append(Records());
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  RecordQuery list =
      RecordQueryOf("2026-08-01T11:59:59.999999999Z", "2026-08-02T00:00:00Z");
  const absl::Status status = store().ListRecords(list).status();
  EXPECT_EQ(status.code(), kRefused);
  EXPECT_EQ(HorizonOf(status).horizon, kHorizon);
  EXPECT_EQ(HorizonOf(status).project, "p");
  list.project = "q";
  EXPECT_THAT(store().ListRecords(list), IsOk());
  list.project = "p";
  list.window.start_nanos += 1;
  EXPECT_THAT(store().ListRecords(list), IsOk());
}

TEST_P(UsageStoreContract, QueriesAcrossProjectsKeepToEachHorizon) {
  for (const char* project : {"p", "q", "r"}) {
    ASSERT_THAT(store().Append(project, CheckedOf(Records())), IsOk());
  }
  EXPECT_EQ(Remove(&store(), "2026-08-01T11:00:00Z", "p").value(), 1);
  EXPECT_EQ(Remove(&store(), kHorizon, "q").value(), 4);
  UsageQuery query = QueryOf("2026-08-01T11:15:00Z", "2026-08-01T12:15:00Z");
  query.projects = {"p", "q", "r"};
  EXPECT_EQ(Rows(query),
            (Texts{"2026-08-01T11:15:00Z/2026-08-01T12:15:00Z [] 12 90"}));
  // The error names the project of the latest horizon, whatever the order.
  query.window.start_nanos += 1;
  for (const Texts& projects : {Texts{"p", "q", "r"}, Texts{"q", "r", "p"}}) {
    query.projects = projects;
    const absl::Status status = store().Query(query).status();
    EXPECT_EQ(status.code(), kRefused);
    EXPECT_EQ(HorizonOf(status).project, "q");
    EXPECT_EQ(HorizonOf(status).horizon, kHorizon);
    EXPECT_NE(status.message().find("\"q\""), absl::string_view::npos)
        << status;
  }
  query.projects = {"r", "p"};
  EXPECT_THAT(store().Query(query), IsOk());
}

TEST_P(UsageStoreContract, AHorizonIsOfOneProjectOnly) {
  const auto append = [&](const std::string& project) {
    return store().Append(project, CheckedOf(Records())).value();
  };
  append("p");
  append("q");
  EXPECT_EQ(Remove(&store(), kHorizon, "q").value(), 4);
  EXPECT_EQ(RetentionOf(&store(), "p").horizon, absl::InfinitePast());
  EXPECT_EQ(RetentionOf(&store(), "q").horizon, Time(kHorizon));
  EXPECT_THAT(store().GetRecord("p", "a"), IsOk());
  EXPECT_THAT(store().GetRecord("q", "a"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(append("p"), Outcomes(6, kDuplicate));
  EXPECT_EQ(append("q"),
            (Outcomes{kBeforeHorizon, kBeforeHorizon, kBeforeHorizon,
                      kBeforeHorizon, kDuplicate, kDuplicate}));
  const auto check = maintenance().Check(CheckOptions()).value();
  EXPECT_EQ(check.problem_count, 0);
  EXPECT_EQ(check.record_count, 8);
  EXPECT_EQ(maintenance().RebuildRollups(CallLimits())->record_count, 8);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  for (const char* project : {"p", "q"}) {
    UsageQuery query = QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
    query.projects = {project};
    EXPECT_EQ(Rows(query),
              (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 6 63"}));
  }
  // There is nothing to remove of a project that does not exist.
  EXPECT_EQ(Remove(&store(), kHorizon, "none").value(), 0);
  EXPECT_EQ(RetentionOf(&store(), "none").project, "");
}

TEST_P(UsageStoreContract, AProjectCanHaveARetentionOfItsOwn) {
  EXPECT_EQ(maintenance().SetRetention("p", absl::Hours(24)).code(),
            absl::StatusCode::kNotFound);
  Append(Records());
  EXPECT_THAT(maintenance().SetRetention("p", absl::Hours(24)), IsOk());
  EXPECT_EQ(RetentionOf(&store()).retain, absl::Hours(24));
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  EXPECT_EQ(RetentionOf(&store()).retain, absl::Hours(24));
  EXPECT_THAT(maintenance().SetRetention("p", absl::Hours(36)), IsOk());
  EXPECT_EQ(RetentionOf(&store()).horizon, Time(kHorizon));
  EXPECT_EQ(RetentionOf(&store()).retain, absl::Hours(36));
  EXPECT_THAT(maintenance().SetRetention("p", absl::ZeroDuration()), IsOk());
  EXPECT_EQ(RetentionOf(&store()).retain, absl::ZeroDuration());
  EXPECT_EQ(RetentionOf(&store()).horizon, Time(kHorizon));
}

TEST_P(UsageStoreContract, RebuiltAndCheckedTotalsAreTheSame) {
  std::vector<v1::UsageRecord> records = Records();
  for (int i = 0; i < 300; ++i) {
    records.push_back(RecordAt("n" + std::to_string(i), kHorizon, 0.1));
    records.back().set_model("m" + std::to_string(i % 7));
    SetEventTime(Nanos("2026-08-01T10:00:00Z") + i * 59'000'000'000,
                 &records.back());
  }
  Append(std::move(records));
  UsageQuery query = QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z",
                             v1::TIME_BUCKET_DAY, "Asia/Kathmandu");
  query.group_by = {{UsageField::Kind::kModel, ""}};
  const Texts rows = Rows(query);
  for (const std::string horizon :
       {"2000-01-01T00:00:00Z", kHorizon, "2026-08-02T00:00:00Z"}) {
    EXPECT_THAT(Remove(&store(), horizon), IsOk());
    const auto before = maintenance().Check(CheckOptions());
    ASSERT_THAT(before, IsOk());
    EXPECT_EQ(before->problem_count, 0)
        << DescribeProblem(before->problems.at(0));
    EXPECT_EQ(before->left_over_count, 0);
    const auto rebuild = maintenance().RebuildRollups(CallLimits());
    ASSERT_THAT(rebuild, IsOk());
    EXPECT_EQ(rebuild->record_count, before->record_count);
    EXPECT_EQ(rebuild->rollup_count, before->rollup_count);
    const auto after = maintenance().Check(CheckOptions());
    ASSERT_THAT(after, IsOk());
    EXPECT_EQ(after->problem_count, 0);
    EXPECT_EQ(after->record_count, before->record_count);
    EXPECT_EQ(Rows(query), rows);
  }
  EXPECT_EQ(maintenance().Check(CheckOptions())->record_count, 0);
}

RecordSelection CustomerIs(const std::string& customer) {
  RecordSelection selection;
  selection.project = "p";
  selection.window = {Nanos("2000-01-01T00:00:00Z"),
                      Nanos("2200-01-01T00:00:00Z")};
  selection.filters = {{LabelField("customer"), {customer}, false}};
  return selection;
}

// Returns Records(), by turns of the customers "x" and "y".
std::vector<v1::UsageRecord> RecordsOfCustomers() {
  std::vector<v1::UsageRecord> records = Records();
  for (std::size_t i = 0; i < records.size(); ++i) {
    (*records[i].mutable_labels())["customer"] = i % 2 == 0 ? "x" : "y";
  }
  return records;
}

std::int64_t DeletedOf(StoreMaintenance* maintenance,
                       const RecordSelection& selection, bool dry_run = false) {
  const auto removal =
      maintenance->DeleteRecords(selection, dry_run, CallLimits());
  EXPECT_THAT(removal, IsOk());
  return removal.ok() ? removal->record_count : -1;
}

std::string OnlyProblem(StoreMaintenance* maintenance) {
  const auto report = maintenance->Check(CheckOptions());
  EXPECT_THAT(report, IsOk());
  return report->problems.empty() ? "" : DescribeProblem(report->problems[0]);
}

TEST_P(UsageStoreContract, DeletedRecordsLeaveTotalsAndFreeTheirIds) {
  const UsageQuery whole =
      QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
  const UsageQuery hours = QueryOf(
      "2026-08-01T11:15:00Z", "2026-08-01T12:30:00Z", v1::TIME_BUCKET_HOUR);
  for (const bool dry_run : {false, true}) {
    EXPECT_THAT(
        maintenance().DeleteRecords(CustomerIs("x"), dry_run, CallLimits()),
        StatusIs(absl::StatusCode::kNotFound));
    RecordSelection by_id = CustomerIs("x");
    by_id.record_ids = {"a"};
    EXPECT_THAT(maintenance().DeleteRecords(by_id, dry_run, CallLimits()),
                StatusIs(absl::StatusCode::kNotFound));
  }
  Append(RecordsOfCustomers());
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x"), /*dry_run=*/true), 3);
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("none")), 0);
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 6 63"}));
  EXPECT_TRUE(maintenance().Deletions()->empty());

  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x")), 3);
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 3 42"}));
  EXPECT_EQ(Rows(hours),
            (Texts{"2026-08-01T11:15:00Z/2026-08-01T12:00:00Z [] 2 10",
                   "2026-08-01T12:00:00Z/2026-08-01T12:30:00Z [] 1 32"}));
  EXPECT_THAT(store().GetRecord("p", kUuid),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(AllIds(&store(), RecordQueryOf("2026-07-01T00:00:00Z",
                                           "2026-09-01T00:00:00Z")),
            (Texts{"b", "d", "f"}));
  EXPECT_EQ(OnlyProblem(&maintenance()), "");
  const auto deletions = maintenance().Deletions();
  ASSERT_THAT(deletions, IsOk());
  ASSERT_EQ(deletions->size(), 1u);
  EXPECT_EQ(deletions->front().project, "p");
  EXPECT_EQ(deletions->front().selection, "labels.customer=\"x\"");
  EXPECT_EQ(deletions->front().record_count, 3);
  EXPECT_LE(absl::Now() - deletions->front().time, absl::Minutes(5));

  // A repeat is stored as new.
  EXPECT_EQ(Append(RecordsOfCustomers()),
            (Outcomes{kStored, kDuplicate, kStored, kDuplicate, kStored,
                      kDuplicate}));
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 6 63"}));
  EXPECT_EQ(maintenance().RebuildRollups(CallLimits())->record_count, 6);
}

TEST_P(UsageStoreContract, RecordsAreDeletedByIdTimeAndEveryFilter) {
  Append(RecordsOfCustomers());
  RecordSelection selection = CustomerIs("x");
  selection.filters.clear();
  selection.record_ids = {kUuid, "a", "none", "f"};
  selection.window = {Nanos("2026-08-01T00:00:00Z"),
                      Nanos("2026-08-01T12:20:00Z")};
  EXPECT_EQ(DeletedOf(&maintenance(), selection), 1);
  EXPECT_THAT(store().GetRecord("p", kUuid),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(
      maintenance().Deletions()->front().selection,
      "record_id=\"01982f7c-7b3a-7000-8000-00000000002a\"|\"a\"|\"f\"|\"none\""
      ", from 2026-08-01T00:00:00Z, until 2026-08-01T12:20:00Z");
  selection = CustomerIs("y");
  selection.filters.push_back({LabelField("team"), {"blue"}, true});
  EXPECT_EQ(DeletedOf(&maintenance(), selection), 2);
  EXPECT_EQ(AllIds(&store(), RecordQueryOf("2026-07-01T00:00:00Z",
                                           "2026-09-01T00:00:00Z")),
            (Texts{"a", "b", "e"}));
  EXPECT_EQ(OnlyProblem(&maintenance()), "");
}

TEST_P(UsageStoreContract, MoreRecordsThanOneStepAreDeleted) {
  // Many of one time, so that a step ends among them; the ids are of two kinds.
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(1000 + i);
    records.push_back(
        RecordAt(i % 2 == 0 ? "id-" + number
                            : "01982f7c-7b3a-7000-8000-00000000" + number,
                 i < 900 ? kHorizon : "2026-08-01T13:00:00Z", 1));
    (*records.back().mutable_labels())["customer"] = i % 10 == 0 ? "y" : "x";
  }
  Append(records);
  for (v1::UsageRecord& record : records) {
    record.set_record_id(record.record_id() + "~2");
  }
  Append(records);
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x")), 1800);
  EXPECT_EQ(maintenance().Deletions()->front().record_count, 1800);
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z")),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 200 200"}));
  EXPECT_EQ(OnlyProblem(&maintenance()), "");
}

TEST_P(UsageStoreContract, ADeletedRecordGoesByItsOwnFieldsNotItsCorrections) {
  const auto of = [](v1::UsageRecord record, const char* customer,
                     const char* corrects = "") {
    (*record.mutable_labels())["customer"] = customer;
    if (*corrects != '\0') record.set_corrects(corrects);
    return record;
  };
  const UsageQuery whole =
      QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
  ASSERT_EQ(Append({of(RecordAt("a", kHorizon, 1), "x"),
                    of(RecordAt("a2", kHorizon, 2), "y", "a"),
                    of(RecordAt("b", kHorizon, 4), "y"),
                    of(RecordAt("b2", kHorizon, 8), "x", "b")}),
            Outcomes(4, kStored));
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 2 10"}));
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x")), 2);
  // Records that were moved to "y" still count; those that were moved away from
  // it do not.
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 1 2"}));
  EXPECT_EQ(store().GetRecord("p", "b")->corrected_by(), "b2");
  EXPECT_EQ(OnlyProblem(&maintenance()), "");
  EXPECT_EQ(AppendOne(of(RecordAt("b3", kHorizon, 1), "y", "b")),
            AppendOutcome(AppendOutcome::kAlreadyCorrected, "b2"));
  EXPECT_EQ(AppendOne(of(RecordAt("a3", kHorizon, 1), "y", "a")),
            AppendOutcome::kCorrectedRecordNotFound);
  EXPECT_EQ(maintenance().RebuildRollups(CallLimits())->record_count, 2);
  EXPECT_EQ(Rows(whole),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 1 2"}));
}

TEST_P(UsageStoreContract, ADeletionKeepsTheTotalsBeforeTheHorizon) {
  Append(RecordsOfCustomers());
  EXPECT_EQ(Remove(&store(), kHorizon).value(), 4);
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x")), 1);
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z")),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 5 47"}));
  EXPECT_EQ(OnlyProblem(&maintenance()), "");
  // The notes of both deletions outlive the project.
  EXPECT_THAT(maintenance().DeleteProject("p", CallLimits()), IsOk());
  EXPECT_EQ(maintenance().Deletions()->size(), 2u);
}

TEST_P(UsageStoreContract, TheDeletionOfAProjectIsNoted) {
  Append(RecordsOfCustomers());
  EXPECT_EQ(DeletedOf(&maintenance(), CustomerIs("x")), 3);
  EXPECT_EQ(maintenance().DeleteProject("p", CallLimits())->record_count, 3);
  EXPECT_THAT(maintenance().DeleteProject("p", CallLimits()),
              StatusIs(absl::StatusCode::kNotFound));
  const auto deletions = maintenance().Deletions();
  ASSERT_THAT(deletions, IsOk());
  // Both may be of one second, so their order is not certain.
  std::set<std::string> texts;
  for (const Deletion& one : *deletions) {
    EXPECT_EQ(one.project, "p");
    EXPECT_LE(absl::Now() - one.time, absl::Minutes(5));
    texts.insert(one.selection + " " + std::to_string(one.record_count));
  }
  EXPECT_EQ(deletions->size(), 2u);
  EXPECT_EQ(texts, (std::set<std::string>{"labels.customer=\"x\" 3",
                                          "the whole project 3"}));
}

TEST_P(UsageStoreContract, ADeletedProjectLeavesNothingBehind) {
  const auto append = [&](const std::string& project) {
    return store().Append(project, CheckedOf(Records())).value();
  };
  const auto erase = [&](const std::string& project) {
    return maintenance().DeleteProject(project, CallLimits());
  };
  EXPECT_EQ(erase("p").status().code(), absl::StatusCode::kNotFound);
  append("p");
  append("other");
  EXPECT_EQ(Remove(&store(), kHorizon, "p").value(), 4);
  EXPECT_EQ(Remove(&store(), kHorizon, "other").value(), 4);
  EXPECT_THAT(maintenance().SetRetention("p", absl::Hours(24)), IsOk());
  UsageQuery query = QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
  const Texts rows = Rows(query);

  ASSERT_THAT(erase("p"), IsOk());
  EXPECT_EQ(Rows(query), Texts());
  EXPECT_THAT(store().GetRecord("p", "e"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(AllIds(&store(), RecordQueryOf(kHorizon, "2026-09-01T00:00:00Z")),
            Texts());
  EXPECT_EQ(erase("p").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(maintenance().Check(CheckOptions())->problem_count, 0);
  query.projects = {"other"};
  EXPECT_EQ(Rows(query), rows);

  // A new project of the same name begins empty.
  EXPECT_EQ(append("p"), Outcomes(6, kStored));
  EXPECT_EQ(RetentionOf(&store()).horizon, absl::InfinitePast());
  EXPECT_EQ(RetentionOf(&store()).retain, absl::ZeroDuration());
  query.projects = {"p"};
  EXPECT_EQ(Rows(query),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 6 63"}));
  EXPECT_EQ(erase("p")->record_count, 6);
  EXPECT_EQ(erase("other")->record_count, 2);
  EXPECT_EQ(maintenance().Check(CheckOptions())->record_count, 0);
}

TEST_P(UsageStoreContract, ADeletedProjectHasRoomForSeriesAgain) {
  for (int round = 0; round < 2; ++round) {
    for (int first = 0; first < kMaxSeriesPerProject; first += 1000) {
      std::vector<v1::UsageRecord> batch;
      for (int i = first; i < first + 1000; ++i) {
        batch.push_back(RecordAt("id-" + std::to_string(i), kHorizon, 1));
        batch.back().set_model(std::to_string(round) + std::to_string(i));
      }
      ASSERT_EQ(Append(std::move(batch)), Outcomes(1000, kStored));
    }
    EXPECT_EQ(AppendOne(RecordAt("more", kHorizon, 1)),
              AppendOutcome::kCardinalityLimit);
    EXPECT_EQ(maintenance().DeleteProject("p", CallLimits())->record_count,
              kMaxSeriesPerProject);
  }
}

TEST_P(UsageStoreContract, MaintenanceEndsAtItsLimits) {
  Append(Records());
  CallLimits limits;
  limits.deadline = absl::Now() - absl::Seconds(1);
  CheckOptions check;
  check.limits = limits;
  constexpr auto kExceeded = absl::StatusCode::kDeadlineExceeded;
  EXPECT_EQ(maintenance().Check(check).status().code(), kExceeded);
  EXPECT_EQ(maintenance().RebuildRollups(limits).status().code(), kExceeded);
  EXPECT_EQ(maintenance().DeleteProject("p", limits).status().code(),
            kExceeded);
  EXPECT_EQ(maintenance()
                .DeleteRecords(CustomerIs("x"), /*dry_run=*/false, limits)
                .status()
                .code(),
            kExceeded);
  EXPECT_EQ(maintenance()
                .RemoveRecordsBefore("p", Time(kHorizon), limits)
                .status()
                .code(),
            kExceeded);
  limits.deadline = absl::InfiniteFuture();
  limits.is_cancelled = [] { return true; };
  EXPECT_EQ(maintenance()
                .RemoveRecordsBefore("p", Time(kHorizon), limits)
                .status()
                .code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(Rows(QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z")),
            (Texts{"2026-07-01T00:00:00Z/2026-09-01T00:00:00Z [] 6 63"}));
}

}  // namespace
}  // namespace tokenusage::testing
