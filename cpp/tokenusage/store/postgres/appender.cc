// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/appender.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/postgres/corrections.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

// The most rounds of an append. It starts over if another transaction changed
// the project between two statements. That is rare, and each time the other one
// has made progress.
constexpr int kMaxRounds = 8;

constexpr absl::Duration kTimeout = PostgresTimeouts::kStep;

// The number of results of AppendRun::SendReads.
constexpr std::size_t kReads = 3;

using Family = sql::Family;
using Records = std::vector<const CheckedRecord*>;
using Outcomes = std::vector<AppendOutcome>;

const std::string& IdOf(const CheckedRecord& record) {
  return record.record().record_id();
}

// Sorts records by id, so that transactions cannot deadlock. Keeps the first
// record of equal ids.
Records SortedById(Records records) {
  std::stable_sort(records.begin(), records.end(),
                   [](const CheckedRecord* a, const CheckedRecord* b) {
                     return IdOf(*a) < IdOf(*b);
                   });
  records.erase(std::unique(records.begin(), records.end(),
                            [](const CheckedRecord* a, const CheckedRecord* b) {
                              return IdOf(*a) == IdOf(*b);
                            }),
                records.end());
  return records;
}

// Returns whether the project is as it was known; `project` has one row, if
// any.
bool IsUnchanged(const PostgresResult& project, const PostgresProject& known) {
  return project.rows() == 1 && project.Int64(0, 0) == known.incarnation &&
         project.Int64(0, 1) == known.horizon_seconds;
}

bool IsBeforeHorizon(std::int64_t event_time_nanos,
                     const PostgresProject& project) {
  return event_time_nanos / kNanosPerSecond < project.horizon_seconds;
}

bool IsBeforeHorizon(const CheckedRecord& record,
                     const PostgresProject& project) {
  return IsBeforeHorizon(record.event_time_nanos(), project);
}

// Returns whether the record corrects another, or is a copy of one that is
// corrected.
bool CorrectsOrIsCorrected(const CheckedRecord* record) {
  return !record->record().corrects().empty() ||
         !record->record().corrected_by().empty();
}

// Returns whether the records can be refused only for a taken id or an invalid
// correction, provided that all their series are known. Copies of corrected
// records cannot be inserted first.
bool CanInsertFirst(const PostgresProject& known, const Records& records) {
  return std::all_of(
      records.begin(), records.end(), [&](const CheckedRecord* record) {
        return !record->too_far_ahead() && !IsBeforeHorizon(*record, known) &&
               record->record().corrected_by().empty();
      });
}

// Returns the ids of the records that `records` correct, without those in
// `records`.
std::vector<std::string> CorrectedIds(const Records& records) {
  absl::flat_hash_set<std::string_view> own;
  for (const CheckedRecord* record : records) own.insert(IdOf(*record));
  std::vector<std::string> ids;
  for (const CheckedRecord* record : records) {
    const std::string& corrects = record->record().corrects();
    if (!corrects.empty() && !own.contains(corrects)) ids.push_back(corrects);
  }
  return ids;
}

SeriesKeys SeriesKeysOf(const Records& records, const RollupLabels& labels) {
  SeriesKeys keys;
  for (const CheckedRecord* record : records) {
    keys.insert(SeriesKey(record->record()));
    if (!labels.empty()) keys.insert(LabelSetOf(labels, record->record()));
  }
  return keys;
}

// One attempt on one connection. Leaves the transaction open unless it commits.
class AppendRun {
 public:
  // `labels` are those that the project is expected to have.
  AppendRun(PostgresConnection* connection, const std::string& project,
            const Records& records, bool maybe_committed, RollupLabels labels,
            std::int64_t max_series)
      : connection_(*connection),
        project_(project),
        records_(records),
        maybe_committed_(maybe_committed),
        labels_(std::move(labels)),
        max_series_(max_series) {}

  // Inserts before reading. The project must have all series of the records,
  // and CanInsertFirst must hold. Returns nullopt if `known` is out of date, or
  // a correction is to be refused.
  absl::StatusOr<std::optional<Outcomes>> InsertFirst(
      const PostgresProject& known, SeriesKeys series);

  // Reads before inserting. Returns nullopt if `known` is out of date, or
  // another transaction interfered.
  absl::StatusOr<std::optional<Outcomes>> ReadFirst(
      const std::optional<PostgresProject>& known);

  // Returns the project as ReadFirst found and left it, or, if ReadFirst
  // returned nullopt because the project does not have the expected labels, as
  // it is. Returns nullopt if it was not read or nothing was stored.
  const std::optional<PostgresProject>& learned() const { return learned_; }

  // Returns series and label sets that the project is known to have.
  const SeriesKeys& series() const { return known_series_; }

  // Returns the labels of new projects, if ReadFirst was to add one and found
  // that they are not the expected ones.
  const std::optional<RollupLabels>& labels_of_new_projects() const {
    return labels_of_new_projects_;
  }

  // Returns whether COMMIT was sent, so that it may have succeeded.
  bool commit_sent() const { return commit_sent_; }

 private:
  struct Stored {
    const v1::UsageRecord* record;  // with corrected_by; in arena_
    std::string bytes;              // only set if maybe_committed_
  };

  void SendInsert(const Records& sorted);
  // Asks which series, label sets, records and corrected records exist: three
  // statements, even without labels.
  void SendReads();
  void SendInsertSeriesAndLabelSets();
  absl::Status ReadStored(const PostgresResult& rows);
  // Reads the answers to SendReads, which are the last ones.
  absl::Status ReadAnswers(const PostgresResults& results);

  // Adds the project if it is not known, locks it, and reads it and what it
  // already has. Returns nullopt if it was just deleted, or has other labels.
  absl::StatusOr<std::optional<PostgresProject>> LockAndRead(bool is_known);
  // Does the same with a shared lock, for a project at its limit of series: no
  // append can add one, so appends need not wait for each other. Returns
  // nullopt if `known` is out of date.
  absl::StatusOr<std::optional<PostgresProject>> ShareAndRead(
      const PostgresProject& known);

  // Determines the outcomes in order, from what is stored and what the batch
  // adds.
  Outcomes Resolve(const PostgresProject& project);
  AppendOutcome ResolveOne(const CheckedRecord& record,
                           const PostgresProject& project);
  AppendOutcome CompareWithStored(const CheckedRecord& record,
                                  const Stored& stored);
  // Returns the record with this id, from the batch or stored; null if there is
  // none, or it is before the horizon.
  const v1::UsageRecord* FindRecord(const std::string& record_id,
                                    const PostgresProject& project) const;

  // Returns whether all accepted records are among these. They are not, for
  // example, if a refused correction is followed by another record with the
  // same id.
  bool AllAcceptedAreIn(const Records& records) const;

  // Writes the new series and label sets, the corrections and the rollups, and
  // commits.
  absl::Status WriteRestAndCommit();

  PostgresConnection& connection_;
  const std::string& project_;
  const Records& records_;
  const bool maybe_committed_;
  const RollupLabels labels_;
  const std::int64_t max_series_;  // including label sets
  bool commit_sent_ = false;
  ::google::protobuf::Arena arena_;
  absl::flat_hash_map<std::string, Stored> stored_;  // by id
  absl::flat_hash_map<std::string_view, const CheckedRecord*> accepted_;
  absl::flat_hash_set<std::string_view> stored_by_earlier_attempt_;
  PostgresCorrections corrections_;     // of these records
  SeriesKeys known_series_;             // see series()
  std::vector<SeriesNames> new_names_;  // of series to add
  std::vector<std::string> new_label_sets_;
  std::optional<PostgresProject> learned_;
  std::optional<RollupLabels> labels_of_new_projects_;
};

void AppendRun::SendInsert(const Records& sorted) {
  PostgresArray ids = PostgresArray::Texts(sorted.size());
  PostgresArray times = PostgresArray::Int64s(sorted.size());
  PostgresArray inconsistent = PostgresArray::Bools(sorted.size());
  PostgresArray bytes = PostgresArray::Bytes(sorted.size());
  for (const CheckedRecord* record : sorted) {
    ids.Add(IdOf(*record));
    times.Add(record->event_time_nanos());
    inconsistent.AddBool(record->counts().inconsistent());
    bytes.Add(record->bytes());
  }
  connection_.Send(sql::kInsertRecords, project_, std::move(ids),
                   std::move(times), std::move(inconsistent), std::move(bytes));
}

void AppendRun::SendReads() {
  std::set<SeriesNames> names;
  std::set<std::string> label_sets;
  std::vector<std::string> ids;
  for (const CheckedRecord* record : records_) {
    names.insert(SeriesNamesOf(record->record()));
    if (!labels_.empty()) {
      label_sets.insert(LabelSetOf(labels_, record->record()));
    }
    ids.push_back(IdOf(*record));
    const std::string& corrects = record->record().corrects();
    if (!corrects.empty()) ids.push_back(corrects);
  }
  connection_.Send(sql::kFindSeries,
                   SeriesParams(project_, {names.begin(), names.end()}));
  connection_.Send(
      sql::kFindLabelSets, project_,
      std::vector<std::string>(label_sets.begin(), label_sets.end()));
  connection_.Send(sql::kSelectRecords, project_, ids);
}

void AppendRun::SendInsertSeriesAndLabelSets() {
  // In the order of the key, so that transactions cannot deadlock.
  std::sort(new_names_.begin(), new_names_.end());
  connection_.Send(sql::kInsertSeries, SeriesParams(project_, new_names_));
  if (new_label_sets_.empty()) return;
  std::sort(new_label_sets_.begin(), new_label_sets_.end());
  connection_.Send(sql::kInsertLabelSets, project_, new_label_sets_);
}

absl::Status AppendRun::ReadStored(const PostgresResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string_view bytes = rows.Bytes(row, 1);
    auto* const record = v1::UsageRecord::default_instance().New(&arena_);
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(connection_.display(), bytes, record));
    record->set_corrected_by(std::string(rows.Bytes(row, 2)));
    stored_.emplace(rows.Bytes(row, 0),
                    Stored{record, maybe_committed_ ? std::string(bytes) : ""});
  }
  return absl::OkStatus();
}

absl::Status AppendRun::ReadAnswers(const PostgresResults& results) {
  const PostgresResult& series = results[results.size() - 3];
  for (int i = 0; i < series.rows(); ++i) {
    known_series_.insert(SeriesKey(SeriesOf(series, i, 0)));
  }
  const PostgresResult& label_sets = results[results.size() - 2];
  for (int i = 0; i < label_sets.rows(); ++i) {
    known_series_.insert(std::string(label_sets.Bytes(i, 0)));
  }
  return ReadStored(results.back());
}

AppendOutcome AppendRun::CompareWithStored(const CheckedRecord& record,
                                           const Stored& stored) {
  // If an earlier attempt of this append stored the record and the answer was
  // lost, the record is no duplicate: then the bytes, which hold receive_time,
  // are equal. A second record with this id in the batch is a duplicate.
  if (maybe_committed_ && stored.bytes == record.bytes() &&
      stored_by_earlier_attempt_.insert(IdOf(record)).second) {
    return AppendOutcome::kStored;
  }
  return CompareContent(*stored.record, record.record());
}

AppendOutcome AppendRun::ResolveOne(const CheckedRecord& record,
                                    const PostgresProject& project) {
  if (const auto found = stored_.find(IdOf(record)); found != stored_.end()) {
    return CompareWithStored(record, found->second);
  }
  if (const auto found = accepted_.find(IdOf(record));
      found != accepted_.end()) {
    return CompareContent(found->second->record(), record.record());
  }
  if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
  if (IsBeforeHorizon(record, project)) return AppendOutcome::kBeforeHorizon;
  const std::string& corrects = record.record().corrects();
  const v1::UsageRecord* const corrected =
      corrects.empty() ? nullptr : FindRecord(corrects, project);
  const AppendOutcome correction =
      corrects.empty() ? AppendOutcome(AppendOutcome::kStored)
                       : corrections_.CheckMayCorrect(corrected);
  const bool correction_is_valid = correction.kind == AppendOutcome::kStored;
  // A copy is stored as it is.
  if (!correction_is_valid && !record.is_copy()) return correction;
  std::string series = SeriesKey(record.record());
  std::string label_set = LabelSetOf(labels_, record.record());
  const bool new_series = !known_series_.contains(series);
  const bool new_label_set =
      !labels_.empty() && !known_series_.contains(label_set);
  if (new_series || new_label_set) {
    const std::int64_t count =
        project.series_count +
        static_cast<std::int64_t>(new_names_.size() + new_label_sets_.size());
    if (count + (new_series ? 1 : 0) + (new_label_set ? 1 : 0) > max_series_) {
      return AppendOutcome::kCardinalityLimit;
    }
  }
  if (new_series) {
    known_series_.insert(std::move(series));
    new_names_.push_back(SeriesNamesOf(record.record()));
  }
  if (new_label_set) {
    known_series_.insert(label_set);
    new_label_sets_.push_back(std::move(label_set));
  }
  accepted_.emplace(IdOf(record), &record);
  if (corrected != nullptr && correction_is_valid) {
    corrections_.Add(*corrected, IdOf(record));
  }
  const std::string& corrected_by = record.record().corrected_by();
  if (!corrected_by.empty()) corrections_.Add(record.record(), corrected_by);
  return AppendOutcome::kStored;
}

const v1::UsageRecord* AppendRun::FindRecord(
    const std::string& record_id, const PostgresProject& project) const {
  if (const auto found = accepted_.find(record_id); found != accepted_.end()) {
    return &found->second->record();
  }
  const auto found = stored_.find(record_id);
  // A record before the horizon counts as removed, even if the removal has not
  // deleted it yet.
  if (found == stored_.end() ||
      IsBeforeHorizon(NanosFromTimestamp(found->second.record->event_time()),
                      project)) {
    return nullptr;
  }
  return found->second.record;
}

Outcomes AppendRun::Resolve(const PostgresProject& project) {
  Outcomes outcomes;
  outcomes.reserve(records_.size());
  for (const CheckedRecord* record : records_) {
    outcomes.push_back(ResolveOne(*record, project));
  }
  return outcomes;
}

bool AppendRun::AllAcceptedAreIn(const Records& records) const {
  return std::all_of(
      records.begin(), records.end(), [&](const CheckedRecord* record) {
        const auto found = accepted_.find(IdOf(*record));
        return found == accepted_.end() || found->second == record;
      });
}

absl::Status AppendRun::WriteRestAndCommit() {
  if (!new_names_.empty() || !new_label_sets_.empty()) {
    SendInsertSeriesAndLabelSets();
  }
  PostgresRollups rollups(labels_);
  for (const auto& [id, record] : accepted_) {
    if (!Counts(record->record())) continue;
    rollups.Add(record->record(), record->event_time_nanos(), record->counts());
  }
  if (!corrections_.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(
        corrections_.Write(&connection_, project_, std::move(rollups)));
  } else if (!rollups.empty()) {
    for (const Family family : rollups.Families()) {
      connection_.Send(sql::AddToRollups(family),
                       RollupParams(project_, family, rollups.All(family)));
    }
  }
  commit_sent_ = true;  // before the answer, which may be lost
  return connection_.Run(kTimeout, sql::kCommit).status();
}

absl::StatusOr<std::optional<Outcomes>> AppendRun::InsertFirst(
    const PostgresProject& known, SeriesKeys series) {
  known_series_ = std::move(series);
  const Records sorted = SortedById(records_);
  const bool has_corrections =
      std::any_of(sorted.begin(), sorted.end(), &CorrectsOrIsCorrected);
  connection_.Send(sql::kBegin);
  connection_.Send(has_corrections ? sql::kLockProject : sql::kShareProject,
                   project_);
  SendInsert(sorted);
  if (has_corrections) {
    connection_.Send(sql::kSelectRecords, project_, CorrectedIds(sorted));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection_.Sync(kTimeout));
  if (!IsUnchanged(results[1], known)) return std::nullopt;
  if (has_corrections) TOKENUSAGE_RETURN_IF_ERROR(ReadStored(results[3]));
  const PostgresResult& inserted = results[2];
  if (static_cast<std::size_t>(inserted.rows()) < sorted.size()) {
    absl::flat_hash_set<std::string_view> new_ids;
    for (int row = 0; row < inserted.rows(); ++row) {
      new_ids.insert(inserted.Bytes(row, 0));
    }
    std::vector<std::string> taken;
    for (const CheckedRecord* record : sorted) {
      if (!new_ids.contains(IdOf(*record))) taken.push_back(IdOf(*record));
    }
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PostgresResult found,
        connection_.Run(kTimeout, sql::kSelectRecords, project_, taken));
    TOKENUSAGE_RETURN_IF_ERROR(ReadStored(found));
    if (static_cast<std::size_t>(found.rows()) != taken.size()) {
      return std::nullopt;  // one of them was deleted meanwhile
    }
  }
  Outcomes outcomes = Resolve(known);
  if (accepted_.size() != static_cast<std::size_t>(inserted.rows()) ||
      !AllAcceptedAreIn(sorted)) {
    return std::nullopt;  // not exactly the inserted records are accepted
  }
  TOKENUSAGE_RETURN_IF_ERROR(WriteRestAndCommit());
  return outcomes;
}

absl::StatusOr<std::optional<PostgresProject>> AppendRun::LockAndRead(
    bool is_known) {
  if (!is_known) {
    connection_.Send(sql::kShareLabels);
    connection_.Send(sql::kSelectLabels);
    connection_.Send(sql::kInsertProject, project_, RandomIncarnation(),
                     RollupLabelsText(labels_));
  }
  connection_.Send(sql::kLockProject, project_);
  connection_.Send(sql::kCountSeries, project_);
  SendReads();
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection_.Sync(kTimeout));
  // From the end: before these there may be other results.
  const auto result = [&](std::size_t before_reads) -> const PostgresResult& {
    return results[results.size() - kReads - before_reads];
  };
  const PostgresResult& row = result(2);  // of kLockProject
  if (row.rows() != 1) return std::nullopt;
  if (!is_known && result(3).changed_rows() == 1) {  // of kInsertProject
    TOKENUSAGE_ASSIGN_OR_RETURN(RollupLabels labels_of_new,
                                ParseRollupLabels(result(4).Bytes(0, 0)));
    if (labels_of_new != labels_) {
      labels_of_new_projects_ = std::move(labels_of_new);
      return std::nullopt;
    }
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const RollupLabels labels,
                              ParseRollupLabels(row.Bytes(0, 2)));
  const PostgresProject project = {row.Int64(0, 0), row.Int64(0, 1),
                                   result(1).Int64(0, 0),  // of kCountSeries
                                   labels};
  if (labels != labels_) {
    learned_ = project;
    return std::nullopt;
  }
  TOKENUSAGE_RETURN_IF_ERROR(ReadAnswers(results));
  return project;
}

absl::StatusOr<std::optional<PostgresProject>> AppendRun::ShareAndRead(
    const PostgresProject& known) {
  connection_.Send(sql::kShareProject, project_);
  SendReads();
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection_.Sync(kTimeout));
  if (!IsUnchanged(results[results.size() - kReads - 1], known))
    return std::nullopt;
  TOKENUSAGE_RETURN_IF_ERROR(ReadAnswers(results));
  return known;
}

absl::StatusOr<std::optional<Outcomes>> AppendRun::ReadFirst(
    const std::optional<PostgresProject>& known) {
  connection_.Send(sql::kBegin);
  // Two appends must not correct one record: corrections take the lock.
  const bool is_at_limit =
      known && known->series_count >= max_series_ &&
      std::none_of(records_.begin(), records_.end(), &CorrectsOrIsCorrected);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::optional<PostgresProject> project,
      is_at_limit ? ShareAndRead(*known) : LockAndRead(known.has_value()));
  if (!project) return std::nullopt;
  Outcomes outcomes = Resolve(*project);
  // Nothing to store: the transaction is left open, to be rolled back with the
  // project if LockAndRead added it.
  if (accepted_.empty()) return outcomes;

  Records accepted;
  for (const auto& [id, record] : accepted_) accepted.push_back(record);
  SendInsert(SortedById(std::move(accepted)));
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults inserted,
                              connection_.Sync(kTimeout));
  if (static_cast<std::size_t>(inserted[0].rows()) != accepted_.size()) {
    return std::nullopt;  // another transaction stored one of them meanwhile
  }
  TOKENUSAGE_RETURN_IF_ERROR(WriteRestAndCommit());
  learned_ = project;
  learned_->series_count +=
      static_cast<std::int64_t>(new_names_.size() + new_label_sets_.size());
  return outcomes;
}

}  // namespace

absl::StatusOr<std::vector<AppendOutcome>> PostgresAppender::Append(
    const std::string& project,
    const std::vector<const CheckedRecord*>& records, bool retry) {
  Outcomes outcomes;
  if (records.empty()) return outcomes;
  bool maybe_committed = false;
  const auto append = [&](PostgresConnection* connection) {
    return TryAppend(connection, project, records, &maybe_committed, &outcomes);
  };
  TOKENUSAGE_RETURN_IF_ERROR(retry ? pool_.Run({}, append)
                                   : pool_.RunOnce({}, append));
  return outcomes;
}

absl::Status PostgresAppender::TryAppend(PostgresConnection* connection,
                                         const std::string& project,
                                         const Records& records,
                                         bool* maybe_committed,
                                         Outcomes* outcomes) {
  // Once inserting first has failed, read first: with a refused correction, for
  // example, it would fail again.
  bool may_insert_first = true;
  for (int round = 0; round < kMaxRounds; ++round) {
    const std::optional<PostgresProject> known = cache_.Find(project);
    const RollupLabels labels =
        known ? known->labels : cache_.LabelsOfNewProjects();
    const SeriesKeys series = SeriesKeysOf(records, labels);
    AppendRun run(connection, project, records, *maybe_committed, labels,
                  max_series_);
    const bool inserts_first = may_insert_first && known &&
                               CanInsertFirst(*known, records) &&
                               cache_.HasAll(known->incarnation, series);
    absl::StatusOr<std::optional<Outcomes>> result =
        inserts_first ? run.InsertFirst(*known, series) : run.ReadFirst(known);
    *maybe_committed = *maybe_committed || run.commit_sent();
    if (!result.ok()) return result.status();
    if (result->has_value()) {
      *outcomes = **std::move(result);
      if (run.learned()) {
        cache_.Remember(project, *run.learned(), run.series());
      }
      return absl::OkStatus();
    }
    if (run.labels_of_new_projects()) {
      cache_.RememberLabelsOfNewProjects(*run.labels_of_new_projects());
    } else if (run.learned()) {
      cache_.Remember(project, *run.learned(), {});
    } else if (!inserts_first) {
      cache_.Forget(project);
    }
    may_insert_first = false;
    TOKENUSAGE_RETURN_IF_ERROR(
        connection->Execute("ROLLBACK", kTimeout).status());
  }
  return absl::UnavailableError(
      absl::StrCat("database ", connection->display(),
                   ": the project kept changing while it was appended to"));
}

}  // namespace tokenusage
