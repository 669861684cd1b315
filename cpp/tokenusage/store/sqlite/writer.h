// SPDX-License-Identifier: Apache-2.0

// Runs the thread that writes, and its queue.

#ifndef TOKENUSAGE_STORE_SQLITE_WRITER_H_
#define TOKENUSAGE_STORE_SQLITE_WRITER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tokenusage/store/fair_queue.h"
#include "tokenusage/store/sqlite/appender.h"
#include "tokenusage/store/sqlite/connection/read_gate.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Group commit: whatever is queued when a commit ends goes into the next one,
// and so does what comes in while those records are inserted. There is no
// timer: a lone batch is committed at once, and under load the groups grow by
// themselves. Projects take turns. Thread-safe.
//
// Also bounds the write-ahead log: from log_bytes on it closes the gate of the
// readers, and starts the log over once those inside have left. At four times
// log_bytes it waits for them before it commits anything more. It waits for no
// other process that reads.
//
// Also brings the rollups by label up to date (SqliteLabelRollups): when
// nothing has been queued for a second, otherwise in a tenth of the thread's
// time, or if the rollups lack max_unfolded records.
class SqliteWriter {
 public:
  // See SqliteStoreOptions.
  struct Limits {
    int max_records_per_commit;
    std::int64_t max_queued_bytes;
    std::int64_t log_bytes;
    std::size_t max_known_series;
    int max_series;
    std::int64_t max_unfolded;
    std::function<void(absl::Duration)> on_commit;
  };

  // `readers` must outlive it.
  SqliteWriter(std::string path, Limits limits,
               std::unique_ptr<SqliteAppender> appender, ReadGate* readers);

  // Finishes what is queued.
  ~SqliteWriter();

  // See UsageStore::AppendAsync.
  void Append(std::string project, std::shared_ptr<const CheckedBatch> batch,
              CallLimits limits, AppendCallback done);

  // Work that is not an append, on the writer's connection outside of any
  // transaction.
  using Work = std::function<absl::Status(SqliteAppender*)>;

  // Does the work between two commits, and returns its status. Must not be
  // called from the writer thread.
  absl::Status Run(Work work);

  // Returns all but size_bytes.
  StoreStats Stats() const;

 private:
  struct Task {
    Work work;
    std::promise<absl::Status> done;
  };

  struct Request {
    std::string project;
    std::shared_ptr<const CheckedBatch> batch;
    CallLimits limits;
    AppendCallback done;
  };

  struct Answer {
    Request request;
    AppendResult result;
  };
  using Answers = std::vector<Answer>;

  // The content of one commit.
  struct Group {
    std::vector<Request> requests;
    std::vector<std::vector<AppendOutcome>> outcomes;  // of those inserted
    std::int64_t records = 0;
    bool may_grow = true;
  };

  void RunThread();
  // Starts the write-ahead log over if it is time to.
  void BoundLog();
  // Brings the rollups by label up to date if it is time to.
  void FoldLabels();
  // Waits for requests, a task, an empty gate or the time to fold, and takes
  // them out. Returns false once the writer is closing and nothing is queued.
  bool TakeWork(Group* group, std::unique_ptr<Task>* task, Answers* answers);
  // Moves queued requests to the group, up to the limit of a commit, and
  // expired ones to the answers. Called with mutex_ held.
  void TakeQueued(Group* group, Answers* answers);
  void DoTask(Task* task);
  // Opens the connection again after a failure.
  absl::Status OpenAppender();
  // Closes the connection after a failure.
  void CloseAfter(const absl::Status& status);
  void CommitGroup(Group group, Answers* answers);
  absl::Status TryCommit(Group* group, Answers* answers);
  absl::Status InsertNew(Group* group);

  const std::string path_;
  const Limits limits_;
  ReadGate& readers_;

  // Used by the thread only. Null after an error, until it is needed again.
  std::unique_ptr<SqliteAppender> appender_;
  bool gate_closed_ = false;
  std::int64_t next_restart_bytes_;  // of the log
  absl::Time next_fold_ = absl::InfinitePast();
  bool is_idle_ = false;  // no work came before it was time to fold

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  FairQueue<Request> queue_;  // by project
  std::deque<std::unique_ptr<Task>> tasks_;
  bool gate_is_empty_ = false;
  bool closing_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_WRITER_H_
