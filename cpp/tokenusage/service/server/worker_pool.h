// SPDX-License-Identifier: Apache-2.0

// A fixed number of threads for work that may block, with a bounded queue in
// which keys take turns.
//
//   WorkerPool pool(/*threads=*/4, {/*jobs=*/256, /*bytes=*/16 << 20});
//   if (!pool.TrySubmit("demo", bytes, [] { ReadTheDisk(); })) return Busy();

#ifndef TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
#define TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tokenusage {

// Thread-safe. Jobs of one key start in the order in which they were submitted.
// The last idle thread is kept for a key that has no job running, so one key's
// slow jobs never occupy all threads.
class WorkerPool {
 public:
  // What may be queued. A key may queue as much as is still free: one key
  // alone half of it, two a third each. A job that is larger is taken if the
  // queue is empty.
  struct Queue {
    std::int64_t jobs = 0;
    std::int64_t bytes = 0;
  };

  WorkerPool(int threads, Queue max_queued);

  // Finishes all queued jobs.
  ~WorkerPool();

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues `job`, which holds `bytes` of memory until it has run. Returns false
  // if the queue has no room for it. `job` must not throw.
  bool TrySubmit(const std::string& key, std::int64_t bytes,
                 std::function<void()> job);

 private:
  struct Job {
    std::int64_t bytes;
    std::function<void()> run;
  };
  struct Lane {
    std::deque<Job> jobs;
    Queue queued;
    int running = 0;
  };
  using Lanes = std::unordered_map<std::string, Lane>;

  void Work();
  // The lane whose job may start now, or turns_.end().
  std::list<Lanes::iterator>::iterator Next();
  // Starts the first job of the lane, and gives the lane's turn to the next.
  Job Take(std::list<Lanes::iterator>::iterator turn);

  const Queue max_queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Lanes lanes_;                       // guarded by mutex_, as are those below
  std::list<Lanes::iterator> turns_;  // the lanes that have jobs queued
  Queue queued_;
  int idle_;  // threads
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
