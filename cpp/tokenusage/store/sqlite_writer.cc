#include "tokenusage/store/sqlite_writer.h"

#include <cstddef>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"

namespace tokenusage {
namespace {

// How many records of a project go before those of the next one.
constexpr std::int64_t kRecordsPerTurn = 1000;

}  // namespace

SqliteWriter::SqliteWriter(std::string path, Limits limits,
                           std::unique_ptr<SqliteAppender> appender)
    : path_(std::move(path)),
      limits_(std::move(limits)),
      appender_(std::move(appender)),
      queue_(limits_.max_queued_bytes, kRecordsPerTurn),
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
  const FairQueue<Batch>::Cost cost = {
      records->memory_bytes(), static_cast<std::int64_t>(records->size())};
  Batch batch{std::move(project), std::move(records), std::move(limits),
              std::move(done)};
  const std::string key = batch.project;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.TryPush(key, cost, std::move(batch))) {
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
  std::vector<Batch> group;
  std::unique_ptr<Task> task;
  while (TakeWork(&group, &task)) {
    // Turn by turn, so that neither waits for more than one of the other.
    if (!group.empty()) CommitGroup(std::move(group));
    if (task != nullptr) DoTask(task.get());
    group.clear();
    task.reset();
  }
}

bool SqliteWriter::TakeWork(std::vector<Batch>* group,
                            std::unique_ptr<Task>* task) {
  std::vector<std::pair<Batch, absl::Status>> expired;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] {
      return closing_ || !queue_.empty() || !tasks_.empty();
    });
    if (queue_.empty() && tasks_.empty()) return false;
    TakeGroup(group, &expired);
    if (!tasks_.empty()) {
      *task = std::move(tasks_.front());
      tasks_.pop_front();
    }
  }
  for (auto& [batch, status] : expired) batch.done(status);
  return true;
}

void SqliteWriter::TakeGroup(
    std::vector<Batch>* group,
    std::vector<std::pair<Batch, absl::Status>>* expired) {
  const absl::Time now = absl::Now();
  std::int64_t records = 0;
  while (!queue_.empty()) {
    const std::int64_t next_records = queue_.NextWork();
    if (!group->empty() &&
        records + next_records > limits_.max_records_per_commit) {
      return;
    }
    Batch next = queue_.Pop();
    absl::Status status = CheckLimits(next.limits, now);
    if (status.ok()) {
      records += next_records;
      group->push_back(std::move(next));
    } else {
      expired->emplace_back(std::move(next), std::move(status));
    }
  }
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
  stats.queued_bytes = queue_.space();
  return stats;
}

}  // namespace tokenusage
