// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/copy_store.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/copy/postgres_destination.h"
#include "tokenusage/store/copy/sqlite_source.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr int kRecordsPerStep = 10'000;
constexpr int kCellsPerStep = 5'000;
constexpr int kRowsPerPage = 100'000;

// While records keep arriving, the totals are compared so often.
constexpr int kMaxComparisons = 5;

// How long the destination may be away.
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
      for (const AppendOutcome outcome : *result) ++counts_[outcome];
    }
    if (--waiting_ == 0) done_.notify_one();
  }

  absl::Status Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return waiting_ == 0; });
    return status_;
  }

  // After Wait.
  std::int64_t count(AppendOutcome outcome) { return counts_[outcome]; }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int waiting_ = 0;
  absl::Status status_;
  std::map<AppendOutcome, std::int64_t> counts_;
};

absl::Time ReceiveTimeOf(const v1::UsageRecord& record) {
  return absl::FromUnixSeconds(record.receive_time().seconds()) +
         absl::Nanoseconds(record.receive_time().nanos());
}

// The two windings of totals that read every hour and every quarter that is
// kept: Kathmandu's days begin at a quarter to the hour.
UsageQuery TotalsOf(const std::string& project, bool quarters) {
  UsageQuery query;
  query.project = project;
  query.window = {946'684'800 * kNanosPerSecond,
                  7'258'118'400 * kNanosPerSecond};
  query.bucket = quarters ? v1::TIME_BUCKET_DAY : v1::TIME_BUCKET_HOUR;
  if (quarters) absl::LoadTimeZone("Asia/Kathmandu", &query.time_zone);
  query.group_by = {{UsageField::Kind::kOperation, ""},
                    {UsageField::Kind::kProvider, ""},
                    {UsageField::Kind::kModel, ""}};
  query.page_size = kRowsPerPage;
  return query;
}

std::string Describe(const std::string& project, const UsageQueryRow& row) {
  std::string text =
      absl::StrCat("project ", project, ", ",
                   absl::FormatTime("%Y-%m-%dT%H:%MZ",
                                    absl::FromUnixNanos(row.bucket.start_nanos),
                                    absl::UTCTimeZone()),
                   " and on");
  for (const auto& name : row.key) absl::StrAppend(&text, ", \"", *name, "\"");
  return text;
}

bool IsSame(const UsageQueryRow& a, const UsageQueryRow& b) {
  return a.bucket.start_nanos == b.bucket.start_nanos && a.key == b.key &&
         a.sum == b.sum;
}

// One copy's work.
class CopyRun {
 public:
  CopyRun(SqliteSource* source, PostgresDestination* destination,
          UsageStore* store,
          const std::function<void(const CopyProgress&)>& on_progress)
      : source_(*source),
        destination_(*destination),
        store_(*store),
        on_progress_(on_progress) {}

  absl::StatusOr<CopyReport> Run();

 private:
  absl::Status CopyHorizon();
  absl::Status CopyCells(const std::string& project);
  // Copies what has arrived since the bookmark.
  absl::Status CopyRecords();
  // One step of it, and once more while the destination is away.
  absl::Status AppendPersistently(const std::vector<SourceRecord>& records);
  absl::Status Append(const std::vector<SourceRecord>& records);
  absl::Status CheckAnswers(Answers* answers);

  absl::Status Compare();
  absl::Status CompareTotals(const std::string& project, UsageQuery query);

  SqliteSource& source_;
  PostgresDestination& destination_;
  UsageStore& store_;
  const std::function<void(const CopyProgress&)>& on_progress_;
  std::int64_t bookmark_ = 0;
  CopyProgress progress_;
  CopyReport report_;
};

absl::StatusOr<CopyReport> CopyRun::Run() {
  TOKENUSAGE_ASSIGN_OR_RETURN(bookmark_, destination_.Bookmark(source_.path()));
  TOKENUSAGE_ASSIGN_OR_RETURN(progress_.total, source_.CountAfter(bookmark_));
  TOKENUSAGE_RETURN_IF_ERROR(CopyHorizon());
  for (int comparison = 1;; ++comparison) {
    TOKENUSAGE_RETURN_IF_ERROR(CopyRecords());
    report_.copied = progress_.copied;
    const absl::Status status = Compare();
    if (status.ok()) return report_;
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t arrived,
                                source_.CountAfter(bookmark_));
    if (!absl::IsDataLoss(status)) return status;
    if (arrived == 0) return status;
    if (comparison == kMaxComparisons) {
      return absl::UnavailableError(absl::StrCat(
          "records keep arriving, so that the totals could not be compared: ",
          report_.copied,
          " were copied; stop the service on the source, and "
          "run this again"));
    }
  }
}

absl::Status CopyRun::CopyHorizon() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon, source_.Horizon());
  TOKENUSAGE_ASSIGN_OR_RETURN(const absl::Time there, store_.Horizon());
  if (horizon == kNoHorizon) {
    if (there == absl::InfinitePast()) return absl::OkStatus();
  } else if (there <= absl::FromUnixNanos(horizon)) {
    TOKENUSAGE_RETURN_IF_ERROR(
        store_.RemoveRecordsBefore(absl::FromUnixNanos(horizon), {}).status());
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                                source_.Projects());
    for (const std::string& project : projects) {
      TOKENUSAGE_RETURN_IF_ERROR(CopyCells(project));
    }
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the destination has removed its records before ",
      absl::FormatTime(there, absl::UTCTimeZone()),
      ", and the source has not: remove them there, too, and run this again"));
}

absl::Status CopyRun::CopyCells(const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<SourceCell> cells,
                              source_.CellsBeforeHorizon(project));
  std::map<PostgresCells::Key, UsageSum> step;
  for (const SourceCell& cell : cells) {
    step.emplace(PostgresCells::Key(cell.cell_seconds, cell.cell_start,
                                    PostgresCells::Names(cell.names.operation,
                                                         cell.names.provider,
                                                         cell.names.model)),
                 cell.sum);
    if (step.size() < kCellsPerStep) continue;
    TOKENUSAGE_RETURN_IF_ERROR(destination_.SetCells(project, step));
    step.clear();
  }
  if (step.empty()) return absl::OkStatus();
  return destination_.SetCells(project, step);
}

absl::Status CopyRun::CopyRecords() {
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::vector<SourceRecord> records,
        source_.RecordsAfter(bookmark_, kRecordsPerStep));
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

// Records that came in one request have one time of receipt, which they keep.
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
    const auto checked = CheckedBatch::Of(batch, received);
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
    AppendOutcome outcome;
    const char* why;
  };
  for (const Refusal& refusal :
       {Refusal{AppendOutcome::kConflict,
                "are there with the same id and other content"},
        Refusal{AppendOutcome::kTooFarAhead,
                "have an event_time that is too far ahead"},
        Refusal{AppendOutcome::kBeforeHorizon,
                "are from before the horizon, which has moved meanwhile: run "
                "this again"},
        Refusal{AppendOutcome::kCardinalityLimit,
                "would exceed the limit of operations, providers and models of "
                "a project"}}) {
    const std::int64_t count = answers->count(refusal.outcome);
    if (count == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(count, " records ", refusal.why));
  }
  return absl::OkStatus();
}

absl::Status CopyRun::Compare() {
  report_.compared_totals = 0;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                              source_.Projects());
  for (const std::string& project : projects) {
    for (const bool quarters : {false, true}) {
      TOKENUSAGE_RETURN_IF_ERROR(
          CompareTotals(project, TotalsOf(project, quarters)));
    }
  }
  return absl::OkStatus();
}

absl::Status CopyRun::CompareTotals(const std::string& project,
                                    UsageQuery query) {
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const UsageQueryPage right,
                                source_.Query(query));
    TOKENUSAGE_ASSIGN_OR_RETURN(const UsageQueryPage wrong,
                                store_.Query(query));
    const std::size_t size = std::max(right.rows.size(), wrong.rows.size());
    for (std::size_t i = 0; i < size; ++i) {
      const bool both = i < right.rows.size() && i < wrong.rows.size();
      if (both && IsSame(right.rows[i], wrong.rows[i])) continue;
      const UsageQueryRow& row =
          i < right.rows.size() ? right.rows[i] : wrong.rows[i];
      return absl::DataLossError(absl::StrCat(
          "the totals differ: ", Describe(project, row), ": ",
          i < right.rows.size() ? right.rows[i].sum.record_count : 0,
          " records in the source, ",
          i < wrong.rows.size() ? wrong.rows[i].sum.record_count : 0,
          " in the destination"));
    }
    report_.compared_totals += static_cast<std::int64_t>(size);
    if (!right.has_more) return absl::OkStatus();
    const UsageQueryRow& last = right.rows.back();
    query.after =
        RowPosition{last.bucket.start_nanos, EncodeGroupKey(last.key)};
  }
}

}  // namespace

absl::StatusOr<CopyReport> CopySqliteToPostgres(
    const std::string& path, const std::string& url,
    const std::function<void(const CopyProgress&)>& on_progress) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto source, SqliteSource::Open(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto destination,
                              PostgresDestination::Open(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenPostgresStore(url));
  return CopyRun(source.get(), destination.get(), store.get(), on_progress)
      .Run();
}

}  // namespace tokenusage
