#include "tokenusage/store/memory_store.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/field_values.h"
#include "tokenusage/store/row_aggregator.h"

namespace tokenusage {
namespace {

struct StoredRecord {
  v1::UsageRecord record;
  std::int64_t event_time_nanos;
  TokenCounts counts;
};
using RecordPointer = std::shared_ptr<const StoredRecord>;

struct Project {
  std::map<std::string, RecordPointer, std::less<>> by_id;
  // By event_time, then by the bytes of the id.
  std::map<std::pair<std::int64_t, std::string>, RecordPointer> by_time;
  std::set<std::string> series;
};

AppendOutcome AppendOne(const CheckedRecord& record, Project* project) {
  const std::string& id = record.record().record_id();
  if (const auto found = project->by_id.find(id);
      found != project->by_id.end()) {
    return SameContent(found->second->record, record.record())
               ? AppendOutcome::kDuplicate
               : AppendOutcome::kConflict;
  }
  if (record.too_far_ahead()) return AppendOutcome::kTooFarAhead;
  std::string series = SeriesKey(record.record());
  if (project->series.size() >= kMaxSeriesPerProject &&
      project->series.count(series) == 0) {
    return AppendOutcome::kCardinalityLimit;
  }
  project->series.insert(std::move(series));
  const auto stored = std::make_shared<const StoredRecord>(StoredRecord{
      record.stored_record(), record.event_time_nanos(), record.counts()});
  project->by_id.emplace(id, stored);
  project->by_time.emplace(std::make_pair(stored->event_time_nanos, id),
                           stored);
  return AppendOutcome::kStored;
}

class MemoryStore : public UsageStore {
 public:
  void AppendAsync(std::string project, BatchPointer batch, CallLimits limits,
                   AppendCallback done) override;
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override;
  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override;
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override;

 private:
  // The records of a window in order of time and id. Only the pointers are
  // copied under the lock, so a long query does not hold up appends.
  std::vector<RecordPointer> Snapshot(std::string_view project,
                                      TimeWindow window) const;

  mutable std::mutex mutex_;
  std::map<std::string, Project, std::less<>> projects_;
};

void MemoryStore::AppendAsync(std::string project, BatchPointer batch,
                              CallLimits limits, AppendCallback done) {
  const absl::Status status = CheckLimits(limits, absl::Now());
  if (!status.ok()) return done(status);
  std::vector<AppendOutcome> outcomes;
  outcomes.reserve(batch->size());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Project& kept = projects_[std::move(project)];
    for (const CheckedRecord& record : *batch) {
      outcomes.push_back(AppendOne(record, &kept));
    }
  }
  done(std::move(outcomes));
}

std::vector<RecordPointer> MemoryStore::Snapshot(std::string_view project,
                                                 TimeWindow window) const {
  std::vector<RecordPointer> records;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = projects_.find(project);
  if (found == projects_.end()) return records;
  const auto& by_time = found->second.by_time;
  const auto end = by_time.lower_bound({window.end_nanos, ""});
  for (auto it = by_time.lower_bound({window.start_nanos, ""}); it != end;
       ++it) {
    records.push_back(it->second);
  }
  return records;
}

absl::StatusOr<UsageQueryPage> MemoryStore::Query(const UsageQuery& query) {
  DeadlineCheck deadline(query.limits);
  TOKENUSAGE_RETURN_IF_ERROR(deadline.CheckNow());
  RowAggregator rows(query);
  for (const RecordPointer& record : Snapshot(query.project, query.window)) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    if (!PassesAll(query.filters, record->record)) continue;
    rows.Add(record->event_time_nanos,
             EncodedGroup(GroupKeyOf(query.group_by, record->record)),
             UsageSum{1, record->counts});
  }
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
  TOKENUSAGE_RETURN_IF_ERROR(deadline.CheckNow());
  RecordPage page;
  std::int64_t bytes = 0;
  for (const RecordPointer& record : Snapshot(query.project, query.window)) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    if (query.after &&
        std::pair(record->event_time_nanos,
                  std::string_view(record->record.record_id())) <=
            std::pair(query.after->event_time_nanos,
                      std::string_view(query.after->record_id))) {
      continue;
    }
    bytes += static_cast<std::int64_t>(record->record.ByteSizeLong());
    const bool full =
        page.records.size() == static_cast<std::size_t>(query.page_size) ||
        bytes > query.max_page_bytes;
    if (full && !page.records.empty()) {
      page.has_more = true;
      break;
    }
    page.records.push_back(record->record);
  }
  return page;
}

}  // namespace

std::unique_ptr<UsageStore> NewMemoryStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace tokenusage
