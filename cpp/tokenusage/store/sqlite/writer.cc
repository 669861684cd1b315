// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/writer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/sqlite/file.h"

namespace tokenusage {
namespace {

// The most records of one project in a turn.
constexpr std::int64_t kRecordsPerTurn = 1000;

// Folding pauses for this many times as long as it took, and at least for this
// long.
constexpr int kFoldPause = 9;
constexpr absl::Duration kMinFoldPause = absl::Seconds(1);

}  // namespace

SqliteWriter::SqliteWriter(std::string path, Limits limits,
                           std::unique_ptr<SqliteAppender> appender,
                           ReadGate* readers)
    : path_(std::move(path)),
      limits_(std::move(limits)),
      readers_(*readers),
      appender_(std::move(appender)),
      next_restart_bytes_(limits_.log_bytes),
      queue_(limits_.max_queued_bytes, kRecordsPerTurn),
      thread_([this] { RunThread(); }) {
  readers_.set_on_empty([this] {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      gate_is_empty_ = true;
    }
    changed_.notify_one();
  });
}

SqliteWriter::~SqliteWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SqliteWriter::Append(std::string project,
                          std::shared_ptr<const CheckedBatch> batch,
                          CallLimits limits, AppendCallback done) {
  const FairQueue<Request>::Cost cost = {
      batch->memory_bytes(), static_cast<std::int64_t>(batch->size())};
  Request request{std::move(project), std::move(batch), std::move(limits),
                  std::move(done)};
  const std::string key = request.project;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.TryPush(key, cost, std::move(request))) {
      changed_.notify_one();
      return;
    }
  }
  // TryPush left it as it was.
  // NOLINTNEXTLINE(bugprone-use-after-move)
  request.done(absl::ResourceExhaustedError(
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
    Group group;
    std::unique_ptr<Task> task;
    Answers answers;
    if (!TakeWork(&group, &task, &answers)) return;
    // Commits and tasks take turns: neither waits for more than one of the
    // other.
    if (!group.requests.empty()) CommitGroup(std::move(group), &answers);
    for (Answer& answer : answers) {
      answer.request.done(std::move(answer.result));
    }
    if (task != nullptr) DoTask(task.get());
    FoldLabels();
    BoundLog();
  }
}

void SqliteWriter::BoundLog() {
  const std::int64_t bytes = FileBytes(path_ + "-wal");
  if (bytes < limits_.log_bytes) next_restart_bytes_ = limits_.log_bytes;
  if (bytes < next_restart_bytes_ && !gate_closed_) return;
  gate_closed_ = true;
  if (!readers_.Close()) {
    if (bytes < next_restart_bytes_ + 3 * limits_.log_bytes) return;
    readers_.AwaitEmpty();
  }
  absl::Status status = OpenAppender();
  if (status.ok()) status = appender_->RestartLog();
  CloseAfter(status);
  readers_.Open();
  gate_closed_ = false;
  // If another process reads, the log was not started over, and grows on.
  next_restart_bytes_ = FileBytes(path_ + "-wal") + limits_.log_bytes;
}

void SqliteWriter::FoldLabels() {
  if (appender_ == nullptr) return;
  SqliteLabelRollups& rollups = appender_->label_rollups();
  const std::int64_t unfolded = rollups.unfolded();
  const absl::Time start = absl::Now();
  const bool must = unfolded >= limits_.max_unfolded || rollups.IsFull();
  if (unfolded <= 0 || !(must || is_idle_ || start >= next_fold_)) return;
  absl::Status status = appender_->Begin();
  if (status.ok()) status = rollups.Fold(appender_->database(), {});
  if (status.ok()) status = appender_->database()->Execute("COMMIT");
  // Damage is reported to those who read it.
  CloseAfter(status);
  const absl::Time end = absl::Now();
  next_fold_ = end + std::max(kMinFoldPause, kFoldPause * (end - start));
}

bool SqliteWriter::TakeWork(Group* group, std::unique_ptr<Task>* task,
                            Answers* answers) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto has_work = [this] {
    return closing_ || gate_is_empty_ || !queue_.empty() || !tasks_.empty();
  };
  is_idle_ = false;
  if (appender_ != nullptr && appender_->label_rollups().unfolded() > 0) {
    const absl::Duration pause = std::clamp(
        next_fold_ - absl::Now(), absl::ZeroDuration(), kMinFoldPause);
    is_idle_ =
        !changed_.wait_for(lock, absl::ToChronoNanoseconds(pause), has_work);
  } else {
    changed_.wait(lock, has_work);
  }
  if (closing_ && queue_.empty() && tasks_.empty()) return false;
  gate_is_empty_ = false;
  TakeQueued(group, answers);
  if (!tasks_.empty()) {
    *task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  return true;
}

void SqliteWriter::TakeQueued(Group* group, Answers* answers) {
  const absl::Time now = absl::Now();
  while (!queue_.empty()) {
    const std::int64_t next_records = queue_.NextWork();
    if (!group->requests.empty() &&
        group->records + next_records > limits_.max_records_per_commit) {
      return;
    }
    Request next = queue_.Pop();
    absl::Status status = CheckLimits(next.limits, now);
    if (status.ok()) {
      group->records += next_records;
      group->requests.push_back(std::move(next));
    } else {
      answers->push_back({std::move(next), std::move(status)});
    }
  }
}

void SqliteWriter::DoTask(Task* task) {
  absl::Status status = OpenAppender();
  if (status.ok()) {
    status = task->work(appender_.get());
    appender_->Forget();
  }
  CloseAfter(status);
  task->done.set_value(std::move(status));
}

absl::Status SqliteWriter::OpenAppender() {
  if (appender_ != nullptr) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(appender_,
                              SqliteAppender::Open(path_, limits_.max_series,
                                                   limits_.max_known_series));
  return absl::OkStatus();
}

void SqliteWriter::CloseAfter(const absl::Status& status) {
  // Closing the connection rolls back what it began, and drops its caches.
  if (!status.ok()) appender_.reset();
}

void SqliteWriter::CommitGroup(Group group, Answers* answers) {
  const absl::Time start = absl::Now();
  const absl::Status status = TryCommit(&group, answers);
  if (status.ok() && limits_.on_commit) limits_.on_commit(absl::Now() - start);
  CloseAfter(status);
  if (absl::IsDataLoss(status) && group.requests.size() > 1) {
    // Fail only the batches that meet the damage.
    for (Request& request : group.requests) {
      Group alone;
      alone.requests.push_back(std::move(request));
      alone.may_grow = false;
      CommitGroup(std::move(alone), answers);
    }
    return;
  }
  for (std::size_t i = 0; i < group.requests.size(); ++i) {
    answers->push_back({std::move(group.requests[i]),
                        status.ok() ? AppendResult(std::move(group.outcomes[i]))
                                    : AppendResult(status)});
  }
}

absl::Status SqliteWriter::TryCommit(Group* group, Answers* answers) {
  TOKENUSAGE_RETURN_IF_ERROR(OpenAppender());
  TOKENUSAGE_RETURN_IF_ERROR(appender_->Begin());
  TOKENUSAGE_RETURN_IF_ERROR(InsertNew(group));
  if (group->may_grow) {
    // Only once: a steady stream must not delay the commit forever.
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      TakeQueued(group, answers);
    }
    TOKENUSAGE_RETURN_IF_ERROR(InsertNew(group));
  }
  return appender_->Commit();
}

absl::Status SqliteWriter::InsertNew(Group* group) {
  for (std::size_t i = group->outcomes.size(); i < group->requests.size();
       ++i) {
    const Request& request = group->requests[i];
    TOKENUSAGE_RETURN_IF_ERROR(appender_->Append(
        request.project, *request.batch, &group->outcomes.emplace_back()));
  }
  return absl::OkStatus();
}

StoreStats SqliteWriter::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  StoreStats stats;
  stats.queued_batches = static_cast<std::int64_t>(queue_.size());
  stats.queued_bytes = queue_.space();
  return stats;
}

}  // namespace tokenusage
