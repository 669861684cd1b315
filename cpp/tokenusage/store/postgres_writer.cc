#include "tokenusage/store/postgres_writer.h"

#include <cstddef>
#include <utility>

namespace tokenusage {
namespace {

// About what a record takes while it waits: its message, whose strings and maps
// are several times its binary form, that form, and the rest of the batch.
std::int64_t MemoryOf(const CheckedRecord& record) {
  constexpr std::int64_t kFixed = 1024;
  return kFixed + 4 * static_cast<std::int64_t>(record.bytes().size());
}

}  // namespace

PostgresWriter::PostgresWriter(const PostgresTarget& target, Limits limits)
    : limits_(limits), pool_(target, limits.threads), appender_(&pool_) {
  for (int i = 0; i < limits.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

PostgresWriter::~PostgresWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PostgresWriter::Append(std::string project,
                            std::vector<CheckedRecord> records,
                            AppendCallback done) {
  Batch batch{std::move(records), std::move(done), 0};
  for (const CheckedRecord& record : batch.records) {
    batch.bytes += MemoryOf(record);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A batch that is larger than the whole queue is taken when it is alone.
    if (queues_.empty() ||
        queued_bytes_ + batch.bytes <= limits_.max_queued_bytes) {
      queued_bytes_ += batch.bytes;
      std::deque<Batch>& queue = queues_[project];
      if (queue.empty()) turns_.push_back(std::move(project));
      queue.push_back(std::move(batch));
      changed_.notify_one();
      return;
    }
  }
  batch.done(absl::ResourceExhaustedError(
      "too many records are waiting to be stored; send them again later"));
}

void PostgresWriter::Run() {
  for (;;) {
    std::string project;
    Group group = TakeGroup(&project);
    if (group.empty()) return;
    CommitGroup(project, std::move(group));
  }
}

PostgresWriter::Group PostgresWriter::TakeGroup(std::string* project) {
  Group group;
  std::size_t records = 0;
  const auto limit = static_cast<std::size_t>(limits_.max_records_per_commit);
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !turns_.empty(); });
  if (turns_.empty()) return group;
  *project = std::move(turns_.front());
  turns_.pop_front();
  const auto queue = queues_.find(*project);
  std::deque<Batch>& batches = queue->second;
  while (!batches.empty()) {
    Batch& next = batches.front();
    records += next.records.size();
    if (!group.empty() && records > limit) break;
    queued_bytes_ -= next.bytes;
    group.push_back(std::move(next));
    batches.pop_front();
  }
  if (batches.empty()) {
    queues_.erase(queue);
  } else {
    turns_.push_back(*project);
    changed_.notify_one();
  }
  return group;
}

void PostgresWriter::CommitGroup(const std::string& project, Group group) {
  std::vector<const CheckedRecord*> records;
  for (const Batch& batch : group) {
    for (const CheckedRecord& record : batch.records) {
      records.push_back(&record);
    }
  }
  absl::StatusOr<std::vector<AppendOutcome>> outcomes =
      appender_.Append(project, records);
  if (absl::IsDataLoss(outcomes.status()) && group.size() > 1) {
    // Only those batches shall fail that meet the damage.
    for (Batch& batch : group) {
      Group alone;
      alone.push_back(std::move(batch));
      CommitGroup(project, std::move(alone));
    }
    return;
  }
  auto next = outcomes.ok() ? outcomes->begin()
                            : std::vector<AppendOutcome>::iterator();
  for (Batch& batch : group) {
    if (!outcomes.ok()) {
      batch.done(outcomes.status());
      continue;
    }
    const auto end = next + static_cast<std::ptrdiff_t>(batch.records.size());
    batch.done(std::vector<AppendOutcome>(next, end));
    next = end;
  }
}

}  // namespace tokenusage
