// SPDX-License-Identifier: Apache-2.0

// Runs the threads that write, and their queue.

#ifndef TOKENUSAGE_STORE_POSTGRES_WRITER_H_
#define TOKENUSAGE_STORE_POSTGRES_WRITER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/store/fair_queue.h"
#include "tokenusage/store/postgres/appender.h"
#include "tokenusage/store/postgres/connection/pool.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Group commit: an idle thread takes what is queued of one project, and commits
// it in one transaction. The projects take turns, so none waits for another's
// backlog. There is no timer: a lone batch is committed at once, and under load
// the groups grow by themselves. Thread-safe.
class PostgresWriter {
 public:
  struct Limits {
    int threads;  // also the most connections
    int max_records_per_commit;
    std::int64_t max_queued_bytes;
    RollupOptions rollups;  // with labels
    std::function<void(absl::Duration)> on_commit;
  };

  PostgresWriter(const PostgresTarget& target, Limits limits);

  // Finishes what is queued.
  ~PostgresWriter();

  // See UsageStore::AppendAsync.
  void Append(const std::string& project,
              std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
              AppendCallback done);

  // Returns OK if a record can be inserted; the insert is rolled back. Tries
  // projects whose last append failed, if there are any: on Citus, their
  // workers may be down while others are not.
  absl::Status CheckWritable();

  // Returns all but size_bytes.
  StoreStats Stats() const;

 private:
  struct Request {
    std::shared_ptr<const CheckedBatch> batch;
    CallLimits limits;
    AppendCallback done;
  };
  using Group = std::vector<Request>;

  void Run();
  // Waits for requests of one project and takes them out. Returns none once the
  // writer is closing and nothing is queued.
  Group TakeGroup(std::string* project);
  // Answers the requests whose limits are reached, and returns the others.
  static Group AnswerExpired(Group group);
  void CommitGroup(const std::string& project, Group group);
  absl::Status Probe(const std::string& project);
  bool IsFailing(const std::string& project) const;
  void NoteOutcome(const std::string& project, const absl::Status& status);

  const Limits limits_;
  PostgresPool pool_;
  PostgresAppender appender_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  FairQueue<Request> queue_;       // by project
  std::set<std::string> failing_;  // some projects whose last append failed
  bool closing_ = false;

  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_WRITER_H_
