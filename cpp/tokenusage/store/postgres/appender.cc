// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/appender.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/store/postgres/rollups.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

// How long the database may take for one step of a transaction.
constexpr absl::Duration kStepTime = absl::Seconds(30);

// Tried again where the database changed between two steps: rare, and each time
// some other transaction has got on.
constexpr int kMaxRounds = 8;

using Records = std::vector<const CheckedRecord*>;
using Outcomes = std::vector<AppendOutcome>;

const std::string& IdOf(const CheckedRecord& record) {
  return record.record().record_id();
}

// In the order of the ids, so that transactions never wait for each other in a
// circle. Of equal ids the first record only.
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

bool IsSame(const PostgresResult& row, const PostgresProject& known) {
  return row.rows() == 1 && row.Int64(0, 0) == known.incarnation &&
         row.Int64(0, 1) == known.horizon_seconds;
}

bool IsBeforeHorizon(const CheckedRecord& record,
                     const PostgresProject& project) {
  return record.event_time_nanos() / kNanosPerSecond < project.horizon_seconds;
}

// Whether it is known beforehand that nothing but a taken id can refuse a
// record.
bool CanInsertFirst(const PostgresProject& known, const Records& records) {
  return std::all_of(
      records.begin(), records.end(), [&](const CheckedRecord* record) {
        return !record->too_far_ahead() && !IsBeforeHorizon(*record, known) &&
               known.series.contains(SeriesKey(record->record()));
      });
}

// One attempt on one connection. Leaves the transaction open unless it commits.
class AppendRun {
 public:
  AppendRun(PostgresConnection* connection, const std::string& project,
            const Records& records, bool maybe_committed)
      : connection_(*connection),
        project_(project),
        records_(records),
        maybe_committed_(maybe_committed) {}

  // Inserts first and looks then, where CanInsertFirst. Empty where `known` is
  // out of date.
  absl::StatusOr<std::optional<Outcomes>> InsertFirst(
      const PostgresProject& known);

  // Looks first, and inserts what is to be stored. `known` may be null. Empty
  // where it is out of date, or another transaction came between.
  absl::StatusOr<std::optional<Outcomes>> LookFirst(
      const PostgresProjectPointer& known);

  // The project as LookFirst left it; null where it did not change.
  PostgresProjectPointer learned() const { return learned_; }

  // Whether COMMIT was sent, and thus may have been obeyed.
  bool commit_sent() const { return commit_sent_; }

 private:
  struct Stored {
    v1::UsageRecord record;
    std::string bytes;
  };

  absl::StatusOr<std::vector<PostgresResult>> Sync() {
    return connection_.Sync(absl::Now() + kStepTime);
  }

  PostgresParams ProjectParams() const {
    PostgresParams params;
    params.AddText(project_);
    return params;
  }

  void SendInsert(const Records& sorted);
  void SendSelect(const std::vector<std::string>& ids);
  void SendInsertSeries();
  absl::Status ReadStored(const PostgresResult& rows);

  // Reads the project and what it has of the records, locked against others.
  absl::StatusOr<PostgresProjectPointer> LockAndLook();
  // The same where the project's series are known to be all that may be, so
  // that nothing has to be held up. Null where `known` is out of date.
  absl::StatusOr<PostgresProjectPointer> LookAtFull(
      PostgresProjectPointer known);

  // Goes through the records in their order, with what is stored and what the
  // batch itself adds.
  Outcomes Resolve(const PostgresProject& project);
  AppendOutcome ResolveOne(const CheckedRecord& record,
                           const PostgresProject& project);
  AppendOutcome CompareWithStored(const CheckedRecord& record,
                                  const Stored& stored);

  // Writes the sums of what was accepted, and commits.
  absl::Status Finish();

  PostgresConnection& connection_;
  const std::string& project_;
  const Records& records_;
  const bool maybe_committed_;
  bool commit_sent_ = false;
  absl::flat_hash_map<std::string, Stored> stored_;  // by id
  absl::flat_hash_map<std::string_view, const CheckedRecord*> accepted_;
  absl::flat_hash_set<std::string_view> own_;  // see CompareWithStored
  absl::flat_hash_set<std::string> new_series_;
  std::vector<SeriesNames> new_names_;
  PostgresProjectPointer learned_;
};

void AppendRun::SendInsert(const Records& sorted) {
  PostgresArray ids = PostgresArray::Texts(sorted.size());
  PostgresArray times = PostgresArray::Int64s(sorted.size());
  PostgresArray bytes = PostgresArray::Bytes(sorted.size());
  for (const CheckedRecord* record : sorted) {
    ids.Add(std::string_view(IdOf(*record)));
    times.Add(record->event_time_nanos());
    bytes.Add(std::string_view(record->bytes()));
  }
  PostgresParams params = ProjectParams();
  params.AddArray(std::move(ids));
  params.AddArray(std::move(times));
  params.AddArray(std::move(bytes));
  connection_.Send(sql::InsertRecords(), params);
}

void AppendRun::SendSelect(const std::vector<std::string>& ids) {
  PostgresParams params = ProjectParams();
  params.AddTextArray(ids);
  connection_.Send(sql::SelectRecords(), params);
}

void AppendRun::SendInsertSeries() {
  // In the order of the key, as everything.
  std::sort(new_names_.begin(), new_names_.end(),
            [](const SeriesNames& a, const SeriesNames& b) {
              return SeriesKey(a) < SeriesKey(b);
            });
  std::vector<std::string> operations;
  std::vector<std::string> providers;
  std::vector<std::string> models;
  for (const SeriesNames& names : new_names_) {
    operations.push_back(names.operation);
    providers.push_back(names.provider);
    models.push_back(names.model);
  }
  PostgresParams params = ProjectParams();
  params.AddTextArray(operations);
  params.AddTextArray(providers);
  params.AddTextArray(models);
  connection_.Send(sql::InsertSeries(), params);
}

absl::Status AppendRun::ReadStored(const PostgresResult& rows) {
  for (int row = 0; row < rows.rows(); ++row) {
    Stored stored;
    stored.bytes = std::string(rows.Bytes(row, 1));
    if (!stored.record.ParseFromString(stored.bytes)) {
      return DamagedPostgresError(connection_, "a record cannot be read");
    }
    stored_.emplace(rows.Bytes(row, 0), std::move(stored));
  }
  return absl::OkStatus();
}

AppendOutcome AppendRun::CompareWithStored(const CheckedRecord& record,
                                           const Stored& stored) {
  // An earlier attempt of this very append, whose answer was lost, stored it:
  // its bytes hold the same time of receipt. Then it is not a duplicate.
  if (maybe_committed_ && stored.bytes == record.bytes() &&
      own_.insert(IdOf(record)).second) {
    return AppendOutcome::kStored;
  }
  return SameContent(stored.record, record.record()) ? AppendOutcome::kDuplicate
                                                     : AppendOutcome::kConflict;
}

AppendOutcome AppendRun::ResolveOne(const CheckedRecord& record,
                                    const PostgresProject& project) {
  if (const auto found = stored_.find(IdOf(record)); found != stored_.end()) {
    return CompareWithStored(record, found->second);
  }
  if (const auto found = accepted_.find(IdOf(record));
      found != accepted_.end()) {
    return SameContent(found->second->record(), record.record())
               ? AppendOutcome::kDuplicate
               : AppendOutcome::kConflict;
  }
  if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
  if (IsBeforeHorizon(record, project)) return AppendOutcome::kBeforeHorizon;
  std::string series = SeriesKey(record.record());
  if (!project.series.contains(series) && !new_series_.contains(series)) {
    if (project.series.size() + new_series_.size() >= kMaxSeriesPerProject) {
      return AppendOutcome::kCardinalityLimit;
    }
    new_series_.insert(std::move(series));
    new_names_.push_back(SeriesNamesOf(record.record()));
  }
  accepted_.emplace(IdOf(record), &record);
  return AppendOutcome::kStored;
}

Outcomes AppendRun::Resolve(const PostgresProject& project) {
  Outcomes outcomes;
  outcomes.reserve(records_.size());
  for (const CheckedRecord* record : records_) {
    outcomes.push_back(ResolveOne(*record, project));
  }
  return outcomes;
}

absl::Status AppendRun::Finish() {
  if (!new_names_.empty()) SendInsertSeries();
  PostgresCells cells;
  for (const auto& [id, record] : accepted_) {
    cells.Add(record->record(), record->event_time_nanos(), record->counts());
  }
  if (!cells.empty()) {
    connection_.Send(sql::AddToRollup(), cells.ToParams(project_));
  }
  connection_.Send(sql::Commit());
  commit_sent_ = true;
  return Sync().status();
}

absl::StatusOr<std::optional<Outcomes>> AppendRun::InsertFirst(
    const PostgresProject& known) {
  const Records sorted = SortedById(records_);
  connection_.Send(sql::Begin());
  connection_.Send(sql::ShareProject(), ProjectParams());
  SendInsert(sorted);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              Sync());
  if (!IsSame(results[1], known)) return std::nullopt;
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
    SendSelect(taken);
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> found,
                                Sync());
    TOKENUSAGE_RETURN_IF_ERROR(ReadStored(found[0]));
    if (stored_.size() != taken.size()) return std::nullopt;
  }
  Outcomes outcomes = Resolve(known);
  TOKENUSAGE_RETURN_IF_ERROR(Finish());
  return outcomes;
}

absl::StatusOr<PostgresProjectPointer> AppendRun::LockAndLook() {
  PostgresParams insert = ProjectParams();
  insert.AddInt64(RandomIncarnation());
  connection_.Send(sql::InsertProject(), insert);
  connection_.Send(sql::LockProject(), ProjectParams());
  connection_.Send(sql::SelectSeries(), ProjectParams());
  std::vector<std::string> ids;
  for (const CheckedRecord* record : records_) ids.push_back(IdOf(*record));
  SendSelect(ids);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              Sync());
  const PostgresResult& row = results[results.size() - 3];
  if (row.rows() != 1) return nullptr;
  auto project = std::make_shared<PostgresProject>();
  project->incarnation = row.Int64(0, 0);
  project->horizon_seconds = row.Int64(0, 1);
  const PostgresResult& series = results[results.size() - 2];
  for (int i = 0; i < series.rows(); ++i) {
    project->series.insert(SeriesKey(SeriesNames{
        std::string(series.Bytes(i, 0)), std::string(series.Bytes(i, 1)),
        std::string(series.Bytes(i, 2))}));
  }
  TOKENUSAGE_RETURN_IF_ERROR(ReadStored(results.back()));
  return project;
}

absl::StatusOr<PostgresProjectPointer> AppendRun::LookAtFull(
    PostgresProjectPointer known) {
  connection_.Send(sql::ShareProject(), ProjectParams());
  std::vector<std::string> ids;
  for (const CheckedRecord* record : records_) ids.push_back(IdOf(*record));
  SendSelect(ids);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              Sync());
  if (!IsSame(results[results.size() - 2], *known)) return nullptr;
  TOKENUSAGE_RETURN_IF_ERROR(ReadStored(results.back()));
  return known;
}

absl::StatusOr<std::optional<Outcomes>> AppendRun::LookFirst(
    const PostgresProjectPointer& known) {
  connection_.Send(sql::Begin());
  const bool full =
      known != nullptr && known->series.size() >= kMaxSeriesPerProject;
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresProjectPointer project,
                              full ? LookAtFull(known) : LockAndLook());
  if (project == nullptr) return std::nullopt;
  Outcomes outcomes = Resolve(*project);
  // Then there is nothing to keep, not even the project.
  if (accepted_.empty()) return outcomes;

  Records accepted;
  for (const auto& [id, record] : accepted_) accepted.push_back(record);
  SendInsert(SortedById(std::move(accepted)));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> inserted,
                              Sync());
  if (static_cast<std::size_t>(inserted[0].rows()) != accepted_.size()) {
    return std::nullopt;  // another transaction stored one of them meanwhile
  }
  TOKENUSAGE_RETURN_IF_ERROR(Finish());
  if (project != known) {
    auto learned = std::make_shared<PostgresProject>(*project);
    learned->series.merge(new_series_);
    learned_ = std::move(learned);
  }
  return outcomes;
}

}  // namespace

absl::StatusOr<std::vector<AppendOutcome>> PostgresAppender::Append(
    const std::string& project,
    const std::vector<const CheckedRecord*>& records) {
  Outcomes outcomes;
  if (records.empty()) return outcomes;
  bool maybe_committed = false;
  const absl::Status status =
      pool_.Run({}, [&](PostgresConnection* connection) {
        return TryAppend(connection, project, records, &maybe_committed,
                         &outcomes);
      });
  if (!status.ok()) return status;
  return outcomes;
}

absl::Status PostgresAppender::TryAppend(PostgresConnection* connection,
                                         const std::string& project,
                                         const Records& records,
                                         bool* maybe_committed,
                                         Outcomes* outcomes) {
  for (int round = 0; round < kMaxRounds; ++round) {
    const PostgresProjectPointer known = projects_.Find(project);
    AppendRun run(connection, project, records, *maybe_committed);
    absl::StatusOr<std::optional<Outcomes>> result =
        known != nullptr && CanInsertFirst(*known, records)
            ? run.InsertFirst(*known)
            : run.LookFirst(known);
    *maybe_committed = *maybe_committed || run.commit_sent();
    if (!result.ok()) return result.status();
    if (result->has_value()) {
      *outcomes = **std::move(result);
      if (run.learned()) projects_.Remember(project, run.learned());
      return absl::OkStatus();
    }
    projects_.Forget(project);
    TOKENUSAGE_RETURN_IF_ERROR(
        connection->Execute("ROLLBACK", absl::Now() + kStepTime).status());
  }
  return absl::UnavailableError(
      absl::StrCat("database ", connection->display(),
                   ": the project kept changing while it was appended to"));
}

}  // namespace tokenusage
