#include "tokenusage/store/sqlite_writer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"

namespace tokenusage {

SqliteWriter::SqliteWriter(std::string path, Limits limits,
                           std::unique_ptr<SqliteAppender> appender)
    : path_(std::move(path)),
      limits_(std::move(limits)),
      appender_(std::move(appender)),
      thread_([this] { RunThread(); }) {}

SqliteWriter::~SqliteWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SqliteWriter::Append(std::string project, BatchPointer records,
                          CallLimits limits, AppendCallback done) {
  Batch batch{std::move(project), std::move(records), std::move(limits),
              std::move(done), 0};
  batch.bytes = batch.batch->memory_bytes();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A batch that is larger than the whole queue is taken when it is alone.
    if (queue_.empty() ||
        queued_bytes_ + batch.bytes <= limits_.max_queued_bytes) {
      queued_bytes_ += batch.bytes;
      queue_.push_back(std::move(batch));
      changed_.notify_one();
      return;
    }
  }
  batch.done(absl::ResourceExhaustedError(
      "too many records are waiting to be stored; send them again later"));
}

absl::Status SqliteWriter::Run(Work work) {
  auto task = std::make_unique<Task>();
  task->work = std::move(work);
  std::future<absl::Status> done = task->done.get_future();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return done.get();
}

void SqliteWriter::RunThread() {
  for (;;) {
    std::vector<Batch> group = TakeGroup();
    std::unique_ptr<Task> task = TakeTask();
    if (group.empty() && task == nullptr) return;
    // Turn by turn, so that neither waits for more than one of the other.
    group = AnswerExpired(std::move(group));
    if (!group.empty()) CommitGroup(std::move(group));
    if (task != nullptr) DoTask(task.get());
  }
}

std::vector<SqliteWriter::Batch> SqliteWriter::AnswerExpired(
    std::vector<Batch> group) {
  const absl::Time now = absl::Now();
  const auto expired =
      std::remove_if(group.begin(), group.end(), [now](Batch& batch) {
        const absl::Status status = CheckLimits(batch.limits, now);
        if (!status.ok()) batch.done(status);
        return !status.ok();
      });
  group.erase(expired, group.end());
  return group;
}

std::unique_ptr<SqliteWriter::Task> SqliteWriter::TakeTask() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tasks_.empty()) return nullptr;
  std::unique_ptr<Task> task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

void SqliteWriter::DoTask(Task* task) {
  absl::Status status = OpenAppender();
  if (status.ok()) status = task->work(appender_.get());
  CloseAfter(status);
  task->done.set_value(std::move(status));
}

absl::Status SqliteWriter::OpenAppender() {
  if (appender_ != nullptr) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(appender_, SqliteAppender::Open(path_));
  return absl::OkStatus();
}

void SqliteWriter::CloseAfter(const absl::Status& status) {
  // Closing the connection rolls back what it began. The next one to write
  // opens another: whatever went wrong, nothing of it is remembered.
  if (!status.ok()) appender_.reset();
}

std::vector<SqliteWriter::Batch> SqliteWriter::TakeGroup() {
  std::vector<Batch> group;
  std::size_t records = 0;
  const auto limit = static_cast<std::size_t>(limits_.max_records_per_commit);
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(
      lock, [this] { return closing_ || !queue_.empty() || !tasks_.empty(); });
  while (!queue_.empty()) {
    Batch& next = queue_.front();
    records += next.batch->size();
    if (!group.empty() && records > limit) break;
    queued_bytes_ -= next.bytes;
    group.push_back(std::move(next));
    queue_.pop_front();
  }
  return group;
}

void SqliteWriter::CommitGroup(std::vector<Batch> group) {
  std::vector<std::vector<AppendOutcome>> outcomes(group.size());
  const absl::Time start = absl::Now();
  const absl::Status status = TryCommit(group, &outcomes);
  if (status.ok() && limits_.on_commit) limits_.on_commit(absl::Now() - start);
  CloseAfter(status);
  if (absl::IsDataLoss(status) && group.size() > 1) {
    // Only those batches shall fail that meet the damage.
    for (Batch& batch : group) {
      std::vector<Batch> alone;
      alone.push_back(std::move(batch));
      CommitGroup(std::move(alone));
    }
    return;
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (status.ok()) {
      group[i].done(std::move(outcomes[i]));
    } else {
      group[i].done(status);
    }
  }
}

absl::Status SqliteWriter::TryCommit(
    const std::vector<Batch>& group,
    std::vector<std::vector<AppendOutcome>>* outcomes) {
  TOKENUSAGE_RETURN_IF_ERROR(OpenAppender());
  TOKENUSAGE_RETURN_IF_ERROR(appender_->Begin());
  for (std::size_t i = 0; i < group.size(); ++i) {
    TOKENUSAGE_RETURN_IF_ERROR(
        appender_->Append(group[i].project, *group[i].batch, &(*outcomes)[i]));
  }
  return appender_->Commit();
}

StoreStats SqliteWriter::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  StoreStats stats;
  stats.queued_batches = static_cast<std::int64_t>(queue_.size());
  stats.queued_bytes = queued_bytes_;
  return stats;
}

}  // namespace tokenusage
