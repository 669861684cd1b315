// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/copy_store.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/copy/postgres_destination.h"
#include "tokenusage/store/copy/sqlite_source.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/label_rollups.h"
#include "tokenusage/store/sqlite/table/rollups.h"

namespace tokenusage {
namespace {

using Family = postgres_sql::Family;

constexpr int kRecordsPerStep = 10'000;
constexpr std::size_t kRollupsPerStep = 5'000;

// The number of times to compare the rollups while records keep arriving.
constexpr int kMaxComparisons = 5;

// The destination may be unavailable for at least half a minute.
constexpr int kMaxAttempts = 30;
constexpr absl::Duration kPause = absl::Seconds(1);

// Waits for the answers to a number of appends.
class Answers {
 public:
  void Expect() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++waiting_;
  }

  void Add(const AppendResult& result) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!result.ok()) {
      status_.Update(result.status());
    } else {
      for (const AppendOutcome& outcome : *result) ++counts_[outcome.kind];
    }
    if (--waiting_ == 0) done_.notify_one();
  }

  absl::Status Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return waiting_ == 0; });
    return status_;
  }

  // After Wait.
  std::int64_t count(AppendOutcome::Kind kind) { return counts_[kind]; }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int waiting_ = 0;
  absl::Status status_;
  std::map<AppendOutcome::Kind, std::int64_t> counts_;
};

absl::Time ReceiveTimeOf(const v1::UsageRecord& record) {
  return absl::FromUnixNanos(NanosFromTimestamp(record.receive_time()));
}

// Returns the error for two rollups that differ; either may be null.
absl::Status Difference(const std::string& project,
                        const Rollups::value_type* source,
                        const Rollups::value_type* destination) {
  // The lesser key is missing on the other side.
  if (source != nullptr && destination != nullptr) {
    if (source->first < destination->first) {
      destination = nullptr;
    } else if (destination->first < source->first) {
      source = nullptr;
    }
  }
  const RollupKey& key = (source != nullptr ? source : destination)->first;
  const auto count = [](const Rollups::value_type* rollup) {
    return rollup == nullptr ? 0 : rollup->second.record_count;
  };
  return absl::DataLossError(absl::StrCat(
      "the rollups differ: project ", project, ", ",
      absl::FormatTime("%Y-%m-%dT%H:%MZ",
                       absl::FromUnixSeconds(key.start_seconds),
                       absl::UTCTimeZone()),
      ", ", key.cell_seconds / 60, " minutes, \"", key.series.operation,
      "\", \"", key.series.provider, "\", \"", key.series.model,
      "\": ", count(source), " records in the source, ", count(destination),
      " in the destination"));
}

// One copy's work.
class CopyRun {
 public:
  CopyRun(SqliteDatabase* source, PostgresDestination* destination,
          UsageStore* store,
          const std::function<void(const CopyProgress&)>& on_progress)
      : source_(*source),
        destination_(*destination),
        store_(*store),
        on_progress_(on_progress) {}

  absl::StatusOr<CopyReport> Run();

 private:
  // Copies the projects' horizons and retention, and the rollups from before
  // the horizons.
  absl::Status CopyRetention();
  absl::Status CopyRetention(const ProjectRetention& retention);
  absl::Status CopyRollups(const std::string& project,
                           const SqliteRollupTable& table, CellRange range);
  // Copies the deletions: without them, a check of the destination would report
  // corrections whose other record was deleted.
  absl::Status CopyDeletions();
  absl::Status CopyLabelRollups(const std::string& project, CellRange range);
  // Sets the rollups of a cursor, and returns the starts of their months.
  absl::StatusOr<std::vector<std::int64_t>> SetInSteps(
      const std::string& project, Family family, RollupCursor* source);
  // Copies the records that have arrived since the bookmark.
  absl::Status CopyRecords();
  // Appends a step, with retries while the destination is unavailable.
  absl::Status AppendPersistently(const std::vector<SourceRecord>& records);
  absl::Status Append(const std::vector<SourceRecord>& records);
  absl::Status CheckAnswers(Answers* answers);

  absl::Status Compare();
  absl::Status CompareRollups(const std::string& project,
                              const SqliteRollupTable& table);

  SqliteDatabase& source_;
  PostgresDestination& destination_;
  UsageStore& store_;
  const std::function<void(const CopyProgress&)>& on_progress_;
  std::int64_t bookmark_ = 0;
  CopyProgress progress_;
  CopyReport report_;
};

absl::StatusOr<CopyReport> CopyRun::Run() {
  TOKENUSAGE_ASSIGN_OR_RETURN(bookmark_, destination_.Bookmark(source_.path()));
  TOKENUSAGE_ASSIGN_OR_RETURN(progress_.total,
                              CountRecordsAfter(&source_, bookmark_));
  TOKENUSAGE_RETURN_IF_ERROR(CopyRetention());
  TOKENUSAGE_RETURN_IF_ERROR(CopyDeletions());
  for (int comparison = 1;; ++comparison) {
    TOKENUSAGE_RETURN_IF_ERROR(CopyRecords());
    report_.copied = progress_.copied;
    const absl::Status status = Compare();
    if (status.ok()) return report_;
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t arrived,
                                CountRecordsAfter(&source_, bookmark_));
    if (!absl::IsDataLoss(status)) return status;
    if (arrived == 0) return status;
    if (comparison == kMaxComparisons) {
      return absl::UnavailableError(absl::StrCat(
          "records keep arriving, so the rollups could not be compared: ",
          report_.copied,
          " were copied; stop the service on the source, and run this again"));
    }
  }
}

absl::Status CopyRun::CopyRetention() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectRetention> projects,
                              ReadRetention(&source_));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectRetention> there,
                              store_.maintenance()->Retention());
  std::map<std::string, absl::Time> horizons;
  for (const ProjectRetention& one : there) horizons[one.project] = one.horizon;
  for (const ProjectRetention& one : projects) {
    const auto found = horizons.find(one.project);
    if (found != horizons.end() && found->second > one.horizon) {
      return absl::FailedPreconditionError(absl::StrCat(
          "project ", one.project,
          ": the destination has removed its records before ",
          absl::FormatTime(found->second, absl::UTCTimeZone()),
          ", and the source has not: remove them there, too, then run this "
          "again"));
    }
    TOKENUSAGE_RETURN_IF_ERROR(CopyRetention(one));
  }
  return absl::OkStatus();
}

absl::Status CopyRun::CopyRetention(const ProjectRetention& retention) {
  const bool removed = retention.horizon != absl::InfinitePast();
  if (!removed && retention.retain == absl::ZeroDuration()) {
    return absl::OkStatus();
  }
  const std::string& project = retention.project;
  StoreMaintenance& maintenance = *store_.maintenance();
  // The project may not be there yet.
  TOKENUSAGE_RETURN_IF_ERROR(
      destination_.SetRollups(project, Family::kPlain, {}));
  TOKENUSAGE_RETURN_IF_ERROR(
      maintenance.SetRetention(project, retention.retain));
  if (!removed) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(
      maintenance.RemoveRecordsBefore(project, retention.horizon, {}).status());
  const CellRange range = {0, absl::ToUnixSeconds(retention.horizon)};
  for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
    TOKENUSAGE_RETURN_IF_ERROR(CopyRollups(project, table, range));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t labels_from,
                              ReadLabelsFrom(&source_, project));
  TOKENUSAGE_RETURN_IF_ERROR(destination_.SetLabelsFrom(project, labels_from));
  return CopyLabelRollups(project, range);
}

absl::Status CopyRun::CopyLabelRollups(const std::string& project,
                                       CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      RollupCursor source,
      RollupCursor::Open(&source_, project, kLabelQuarterHourTable, range));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> starts,
                              SetInSteps(project, Family::kByLabel, &source));
  // Sum the months instead of copying them: the month of the horizon also
  // counts the records after it that are in the destination.
  for (const std::int64_t start : starts) {
    Rollups quarter_hours;
    TOKENUSAGE_RETURN_IF_ERROR(destination_.ForEachRollup(
        project, Family::kByLabel, kQuarterHourSeconds,
        {start, MonthAfter(start)},
        [&](const RollupKey& key, const UsageSum& sum) -> absl::StatusOr<bool> {
          quarter_hours.emplace(key, sum);
          return true;
        }));
    TOKENUSAGE_RETURN_IF_ERROR(destination_.SetRollups(
        project, Family::kByLabel, CoarserRollupsOf(quarter_hours)));
  }
  return absl::OkStatus();
}

absl::Status CopyRun::CopyRollups(const std::string& project,
                                  const SqliteRollupTable& table,
                                  CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      RollupCursor source, RollupCursor::Open(&source_, project, table, range));
  return SetInSteps(project, Family::kPlain, &source).status();
}

absl::StatusOr<std::vector<std::int64_t>> CopyRun::SetInSteps(
    const std::string& project, Family family, RollupCursor* source) {
  std::vector<std::int64_t> months;
  for (;;) {
    Rollups step;
    while (step.size() < kRollupsPerStep) {
      TOKENUSAGE_ASSIGN_OR_RETURN(std::optional<Rollups::value_type> rollup,
                                  source->Next());
      if (!rollup) break;
      const std::int64_t month = MonthOf(rollup->first.start_seconds);
      if (months.empty() || months.back() != month) months.push_back(month);
      step.insert(*std::move(rollup));
    }
    if (step.empty()) return months;
    TOKENUSAGE_RETURN_IF_ERROR(destination_.SetRollups(project, family, step));
  }
}

absl::Status CopyRun::CopyDeletions() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Deletion> deletions,
                              ReadDeletions(&source_));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Deletion> there,
                              store_.maintenance()->Deletions());
  for (const Deletion& one : deletions) {
    if (std::find(there.begin(), there.end(), one) != there.end()) continue;
    TOKENUSAGE_RETURN_IF_ERROR(destination_.AddDeletion(one));
  }
  return absl::OkStatus();
}

absl::Status CopyRun::CopyRecords() {
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::vector<SourceRecord> records,
        ReadRecordsAfter(&source_, bookmark_, kRecordsPerStep));
    if (records.empty()) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(AppendPersistently(records));
    bookmark_ = records.back().row_id;
    TOKENUSAGE_RETURN_IF_ERROR(
        destination_.SetBookmark(source_.path(), bookmark_));
    progress_.copied += static_cast<std::int64_t>(records.size());
    progress_.total = std::max(progress_.total, progress_.copied);
    on_progress_(progress_);
  }
}

absl::Status CopyRun::AppendPersistently(
    const std::vector<SourceRecord>& records) {
  absl::Status status;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    status = Append(records);
    if (!absl::IsUnavailable(status) && !absl::IsResourceExhausted(status)) {
      return status;
    }
    absl::SleepFor(kPause);
  }
  return status;
}

// Appends one batch for each run of records with the same project and
// receive_time: a batch has one receive_time, and the records keep theirs.
absl::Status CopyRun::Append(const std::vector<SourceRecord>& records) {
  Answers answers;
  answers.Expect();  // the end of this loop
  for (std::size_t begin = 0; begin < records.size();) {
    std::vector<v1::UsageRecord> batch;
    const SourceRecord& first = records[begin];
    const absl::Time received = ReceiveTimeOf(first.record);
    std::size_t end = begin;
    for (; end < records.size() && records[end].project == first.project &&
           ReceiveTimeOf(records[end].record) == received;
         ++end) {
      batch.push_back(records[end].record);
    }
    const auto checked = CheckedBatch::CopyOf(batch, received);
    if (!checked->errors().empty()) {
      answers.Add(absl::FailedPreconditionError(absl::StrCat(
          "project ", first.project,
          ": a record breaks a rule: ", checked->errors().front().message())));
      return answers.Wait();
    }
    answers.Expect();
    store_.AppendAsync(
        first.project, checked, {},
        [&answers](const AppendResult& result) { answers.Add(result); });
    begin = end;
  }
  answers.Add(std::vector<AppendOutcome>());
  return CheckAnswers(&answers);
}

absl::Status CopyRun::CheckAnswers(Answers* answers) {
  TOKENUSAGE_RETURN_IF_ERROR(answers->Wait());
  report_.already_there += answers->count(AppendOutcome::kDuplicate);
  struct Refusal {
    AppendOutcome::Kind outcome;
    const char* why;
  };
  for (const Refusal& refusal :
       {Refusal{AppendOutcome::kConflict,
                "exist with the same id and other content"},
        Refusal{AppendOutcome::kTooFarAhead,
                "have an event_time that is too far ahead"},
        Refusal{AppendOutcome::kBeforeHorizon,
                "are from before the horizon, which has moved meanwhile: run "
                "this again"},
        Refusal{AppendOutcome::kCardinalityLimit,
                "would exceed the limit of series of a project"}}) {
    const std::int64_t count = answers->count(refusal.outcome);
    if (count == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(count, " records ", refusal.why));
  }
  return absl::OkStatus();
}

absl::Status CopyRun::Compare() {
  report_.compared_rollups = 0;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<StoredProject> projects,
                              ReadProjects(&source_));
  for (const StoredProject& project : projects) {
    for (const SqliteRollupTable& table : {kHourTable, kQuarterHourTable}) {
      TOKENUSAGE_RETURN_IF_ERROR(CompareRollups(project.name, table));
    }
  }
  return absl::OkStatus();
}

absl::Status CopyRun::CompareRollups(const std::string& project,
                                     const SqliteRollupTable& table) {
  constexpr CellRange kAllTime = {0, std::numeric_limits<std::int64_t>::max()};
  TOKENUSAGE_ASSIGN_OR_RETURN(
      RollupCursor source,
      RollupCursor::Open(&source_, project, table, kAllTime));
  TOKENUSAGE_RETURN_IF_ERROR(destination_.ForEachRollup(
      project, Family::kPlain, table.cell_seconds, kAllTime,
      [&](const RollupKey& key, const UsageSum& sum) -> absl::StatusOr<bool> {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const std::optional<Rollups::value_type> expected, source.Next());
        const Rollups::value_type found(key, sum);
        if (expected != found) {
          return Difference(project, expected ? &*expected : nullptr, &found);
        }
        ++report_.compared_rollups;
        return true;
      }));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::optional<Rollups::value_type> missing,
                              source.Next());
  return missing ? Difference(project, &*missing, nullptr) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<CopyReport> CopySqliteToPostgres(
    const std::string& path, const std::string& url,
    const std::function<void(const CopyProgress&)>& on_progress) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto source, OpenSqliteSource(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteLabelState state,
                              ReadLabelState(source.get()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto destination,
                              PostgresDestination::Open(url, state.labels));
  PostgresStoreOptions options;
  options.rollups.max_series = kMostSeriesPerProject;
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store,
                              OpenPostgresStore(url, options));
  return CopyRun(source.get(), destination.get(), store.get(), on_progress)
      .Run();
}

}  // namespace tokenusage
