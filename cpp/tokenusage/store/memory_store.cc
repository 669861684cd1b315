// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/memory_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/query/list_page.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/record_selection.h"
#include "tokenusage/store/query/row_aggregator.h"

namespace tokenusage {
namespace {

struct StoredRecord {
  v1::UsageRecord record;
  std::int64_t event_time_nanos;
};

struct Project {
  std::map<std::string, std::shared_ptr<const StoredRecord>, std::less<>> by_id;
  // By event_time, then by the bytes of the id. Also holds the removed records,
  // which are those before the horizon, for totals.
  std::map<std::pair<std::int64_t, std::string>,
           std::shared_ptr<const StoredRecord>>
      by_time;
  std::set<std::string> series;  // with label sets
  std::int64_t horizon = kNoHorizon;
  std::int64_t labels_from = kNoHorizon;
  absl::Duration retain;
};

// Returns kStored if `record` may correct the record that it names, otherwise
// the reason to refuse it.
AppendOutcome CheckCorrection(const v1::UsageRecord& record,
                              const Project& project) {
  const auto corrected = project.by_id.find(record.corrects());
  if (corrected == project.by_id.end()) {
    return AppendOutcome::kCorrectedRecordNotFound;
  }
  const std::string& other = corrected->second->record.corrected_by();
  if (other.empty()) return AppendOutcome::kStored;
  return {AppendOutcome::kAlreadyCorrected, other};
}

// Marks the record that `record` corrects.
void Correct(const v1::UsageRecord& record, Project* project) {
  std::shared_ptr<const StoredRecord>& stored =
      project->by_id.find(record.corrects())->second;
  auto corrected = std::make_shared<StoredRecord>(*stored);
  corrected->record.set_corrected_by(record.record_id());
  stored = std::move(corrected);
  project->by_time[{stored->event_time_nanos, record.corrects()}] = stored;
}

AppendOutcome AppendOne(const CheckedRecord& record,
                        const RollupOptions& options, Project* project) {
  const std::string& id = record.record().record_id();
  if (const auto found = project->by_id.find(id);
      found != project->by_id.end()) {
    return CompareContent(found->second->record, record.record());
  }
  if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
  if (record.event_time_nanos() < project->horizon) {
    return AppendOutcome::kBeforeHorizon;
  }
  const bool is_correction = !record.record().corrects().empty();
  if (is_correction) {
    AppendOutcome outcome = CheckCorrection(record.record(), *project);
    if (outcome != AppendOutcome::kStored) return outcome;
  }
  std::set<std::string> series = {SeriesKey(record.record())};
  if (!options.labels->empty()) {
    series.insert(LabelSetOf(*options.labels, record.record()));
  }
  const auto is_known = [&](const std::string& one) {
    return project->series.count(one) != 0;
  };
  if (!std::all_of(series.begin(), series.end(), is_known)) {
    std::set<std::string> all = project->series;
    all.merge(series);
    if (all.size() > static_cast<std::size_t>(options.max_series)) {
      return AppendOutcome::kCardinalityLimit;
    }
    project->series = std::move(all);
  }
  const auto stored = std::make_shared<const StoredRecord>(
      StoredRecord{record.stored_record(), record.event_time_nanos()});
  project->by_id.emplace(id, stored);
  project->by_time.emplace(std::make_pair(stored->event_time_nanos, id),
                           stored);
  if (is_correction) Correct(record.record(), project);
  return AppendOutcome::kStored;
}

// Returns whether the project has totals by label from before its horizon.
bool HasLabelHistory(const Project& project) {
  const auto end = project.by_time.lower_bound({project.horizon, ""});
  return std::any_of(
      project.by_time.lower_bound({project.labels_from, ""}), end,
      [](const auto& entry) { return Counts(entry.second->record); });
}

// Replaces the label sets in `series` by those of the records that count.
void SetLabelSets(const RollupLabels& labels, Project* project) {
  std::set<std::string>& series = project->series;
  for (auto it = series.begin(); it != series.end();) {
    // Label sets start with one of these. Series do not: names hold no control
    // characters.
    it = !it->empty() && (it->front() == '\x01' || it->front() == '\x02')
             ? series.erase(it)
             : std::next(it);
  }
  if (labels.empty()) return;
  for (const auto& [id, stored] : project->by_id) {
    if (Counts(stored->record)) {
      series.insert(LabelSetOf(labels, stored->record));
    }
  }
}

// Removes the records before the horizon from by_id; returns their number.
std::int64_t RemoveBefore(std::int64_t horizon, Project* project) {
  std::int64_t count = 0;
  const auto end = project->by_time.lower_bound({horizon, ""});
  for (auto it = project->by_time.begin(); it != end; ++it) {
    const auto found = project->by_id.find(it->first.second);
    if (found == project->by_id.end() || found->second != it->second) continue;
    project->by_id.erase(found);
    ++count;
  }
  return count;
}

class MemoryStore : public UsageStore, public StoreMaintenance {
 public:
  explicit MemoryStore(const RollupOptions& options) : options_(options) {
    if (!options_.labels) options_.labels.emplace();
  }

  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override;
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override;
  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override;
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override;
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override;
  StoreMaintenance* maintenance() override { return this; }

  absl::StatusOr<std::vector<ProjectRetention>> Retention() override;
  absl::Status SetRetention(std::string_view project,
                            absl::Duration retain) override;
  absl::StatusOr<Removal> RemoveRecordsBefore(
      std::string_view project, absl::Time horizon,
      const CallLimits& limits) override;
  absl::StatusOr<CheckReport> Check(const CheckOptions& options) override;
  absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteRecords(const RecordSelection& selection,
                                        bool dry_run,
                                        const CallLimits& limits) override;
  absl::StatusOr<std::vector<Deletion>> Deletions() override;
  absl::StatusOr<Rebuild> SetRollupLabels(const RollupLabels& labels,
                                          const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                        const CallLimits& limits) override;

 private:
  // Only the pointers are copied under the lock, so a long query does not delay
  // appends.
  struct Snapshot {
    ProjectHorizon horizon;
    std::vector<std::shared_ptr<const StoredRecord>>
        records;  // in order of time and id
  };
  Snapshot TakeSnapshot(std::string_view project, TimeWindow window) const;

  std::int64_t CountRecords() const;
  // Called with mutex_ held.
  void AddDeletion(std::string_view project, std::string selection,
                   const Removal& removal);
  // Returns null if there is no such project. Called with mutex_ held.
  Project* FindStored(std::string_view project);

  mutable std::mutex mutex_;
  RollupOptions options_;  // with labels
  std::map<std::string, Project, std::less<>> projects_;
  std::vector<Deletion> deletions_;  // in order of time
};

void MemoryStore::AppendAsync(std::string project,
                              std::shared_ptr<const CheckedBatch> batch,
                              CallLimits limits, AppendCallback done) {
  const absl::Status status = CheckLimits(limits);
  if (!status.ok()) return done(status);
  std::vector<AppendOutcome> outcomes;
  outcomes.reserve(batch->size());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Project& kept = projects_[std::move(project)];
    for (const CheckedRecord& record : *batch) {
      outcomes.push_back(AppendOne(record, options_, &kept));
    }
  }
  done(std::move(outcomes));
}

MemoryStore::Snapshot MemoryStore::TakeSnapshot(std::string_view project,
                                                TimeWindow window) const {
  Snapshot snapshot;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = projects_.find(project);
  if (found == projects_.end()) return snapshot;
  snapshot.horizon = {found->first, found->second.horizon, *options_.labels,
                      found->second.labels_from};
  const auto& by_time = found->second.by_time;
  const auto end = by_time.lower_bound({window.end_nanos, ""});
  for (auto it = by_time.lower_bound({window.start_nanos, ""}); it != end;
       ++it) {
    snapshot.records.push_back(it->second);
  }
  return snapshot;
}

absl::StatusOr<UsageQueryPage> MemoryStore::Query(const UsageQuery& query) {
  DeadlineCheck deadline(query.limits);
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
  RowAggregator rows(query);
  std::vector<ProjectHorizon> horizons;
  for (const std::string& project : query.projects) {
    const Snapshot snapshot = TakeSnapshot(project, query.window);
    horizons.push_back(snapshot.horizon);
    for (const std::shared_ptr<const StoredRecord>& record : snapshot.records) {
      TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
      if (!Counts(record->record)) continue;
      if (!PassesAll(query.filters, record->record)) continue;
      UsageSum* const sum =
          rows.SumOf(record->event_time_nanos,
                     EncodedGroupOf(query.group_by, project, record->record));
      if (sum != nullptr) sum->Add(CountRecord(record->record));
    }
  }
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, horizons));
  return rows.Finish();
}

absl::StatusOr<v1::UsageRecord> MemoryStore::GetRecord(
    std::string_view project, std::string_view record_id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = projects_.find(project); found != projects_.end()) {
    const auto record = found->second.by_id.find(record_id);
    if (record != found->second.by_id.end()) return record->second->record;
  }
  return absl::NotFoundError("no such record");
}

absl::StatusOr<RecordPage> MemoryStore::ListRecords(const RecordQuery& query) {
  DeadlineCheck deadline(query.limits);
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
  ListPage page(query);
  const Snapshot snapshot = TakeSnapshot(query.project, query.window);
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, snapshot.horizon));
  for (const std::shared_ptr<const StoredRecord>& record : snapshot.records) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    if (query.after &&
        std::pair(record->event_time_nanos,
                  std::string_view(record->record.record_id())) <=
            std::pair(query.after->event_time_nanos,
                      std::string_view(query.after->record_id))) {
      continue;
    }
    if (query.inconsistent_only &&
        !CountRecord(record->record).inconsistent()) {
      continue;
    }
    if (!PassesAll(query.filters, record->record)) continue;
    v1::UsageRecord* const next = page.Add(record->record.ByteSizeLong());
    if (next == nullptr) break;
    *next = record->record;
  }
  return page.Finish();
}

absl::StatusOr<std::vector<StoredProject>> MemoryStore::ListProjects(
    const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<StoredProject> all;
  for (const auto& [name, project] : projects_) {
    if (project.series.empty()) continue;
    all.push_back({name, HorizonTime(project.horizon)});
  }
  return all;
}

// A project without any stored record does not exist.
Project* MemoryStore::FindStored(std::string_view project) {
  const auto found = projects_.find(project);
  if (found == projects_.end() || found->second.series.empty()) return nullptr;
  return &found->second;
}

absl::StatusOr<std::vector<ProjectRetention>> MemoryStore::Retention() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<ProjectRetention> all;
  for (const auto& [name, project] : projects_) {
    if (project.series.empty()) continue;
    ProjectRetention& one = all.emplace_back();
    one.project = name;
    one.horizon = HorizonTime(project.horizon);
    one.retain = project.retain;
    one.oldest = one.newest = absl::InfinitePast();
    const auto first = project.by_time.lower_bound({project.horizon, ""});
    if (first == project.by_time.end()) continue;
    one.oldest = absl::FromUnixNanos(first->first.first);
    one.newest = absl::FromUnixNanos(project.by_time.rbegin()->first.first);
  }
  return all;
}

absl::Status MemoryStore::SetRetention(std::string_view project,
                                       absl::Duration retain) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Project* const found = FindStored(project);
  if (found == nullptr) return absl::NotFoundError("no such project");
  found->retain = retain;
  return absl::OkStatus();
}

absl::StatusOr<Removal> MemoryStore::RemoveRecordsBefore(
    std::string_view project, absl::Time horizon, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsHorizon(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const std::lock_guard<std::mutex> lock(mutex_);
  Project* const found = FindStored(project);
  if (found == nullptr) return Removal();
  found->horizon = std::max(found->horizon, absl::ToUnixNanos(horizon));
  return Removal{RemoveBefore(found->horizon, found)};
}

std::int64_t MemoryStore::CountRecords() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, project] : projects_) count += project.by_id.size();
  return static_cast<std::int64_t>(count);
}

// There are no rollups that could be wrong.
absl::StatusOr<CheckReport> MemoryStore::Check(const CheckOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options.limits));
  CheckReport report;
  report.record_count = CountRecords();
  return report;
}

absl::StatusOr<Rebuild> MemoryStore::RebuildRollups(const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  return Rebuild{CountRecords(), 0};
}

absl::StatusOr<Removal> MemoryStore::DeleteRecords(
    const RecordSelection& selection, bool dry_run, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const std::lock_guard<std::mutex> lock(mutex_);
  Removal removal;
  Project* const found = FindStored(selection.project);
  if (found == nullptr) return absl::NotFoundError("no such project");
  for (auto it = found->by_id.begin(); it != found->by_id.end();) {
    const auto next = std::next(it);
    const StoredRecord& stored = *it->second;
    if (IsSelected(selection, stored.record)) {
      ++removal.record_count;
      if (!dry_run) {
        found->by_time.erase({stored.event_time_nanos, it->first});
        found->by_id.erase(it);
      }
    }
    it = next;
  }
  if (!dry_run && removal.record_count > 0) {
    AddDeletion(selection.project, DescribeSelection(selection), removal);
  }
  return removal;
}

void MemoryStore::AddDeletion(std::string_view project, std::string selection,
                              const Removal& removal) {
  deletions_.push_back({absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())),
                        std::string(project), std::move(selection),
                        removal.record_count});
}

absl::StatusOr<std::vector<Deletion>> MemoryStore::Deletions() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return deletions_;
}

// There are no rollups to build: all records are in memory with their labels.
absl::StatusOr<Rebuild> MemoryStore::SetRollupLabels(const RollupLabels& labels,
                                                     const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const std::lock_guard<std::mutex> lock(mutex_);
  std::int64_t count = 0;
  for (const auto& [name, project] : projects_) {
    count += static_cast<std::int64_t>(project.by_id.size());
    if (!options_.labels->empty() && HasLabelHistory(project)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "project ", name, " has totals by label from before its horizon"));
    }
  }
  options_.labels = labels;
  for (auto& [name, project] : projects_) {
    project.labels_from = project.horizon;
    SetLabelSets(labels, &project);
  }
  return Rebuild{count, 0};
}

absl::StatusOr<Removal> MemoryStore::DeleteProject(std::string_view project,
                                                   const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  const std::lock_guard<std::mutex> lock(mutex_);
  Project* const found = FindStored(project);
  if (found == nullptr) return absl::NotFoundError("no such project");
  const Removal removal{static_cast<std::int64_t>(found->by_id.size())};
  projects_.erase(projects_.find(project));
  AddDeletion(project, kWholeProject, removal);
  return removal;
}

}  // namespace

std::unique_ptr<UsageStore> NewMemoryStore(const RollupOptions& options) {
  return std::make_unique<MemoryStore>(options);
}

}  // namespace tokenusage
