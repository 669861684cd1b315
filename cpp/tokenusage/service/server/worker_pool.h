// SPDX-License-Identifier: Apache-2.0

// A fixed number of threads for work that may block, with a bounded queue.
//
//   WorkerPool pool(/*threads=*/4, /*max_queued=*/256);
//   if (!pool.TrySubmit([] { ReadTheDisk(); })) return Busy();

#ifndef TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
#define TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tokenusage {

// Thread-safe. Jobs start in the order in which they were submitted.
class WorkerPool {
 public:
  WorkerPool(int threads, std::size_t max_queued);

  // Finishes all queued jobs.
  ~WorkerPool();

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues `job`; returns false if max_queued jobs are waiting. `job` must not
  // throw.
  bool TrySubmit(std::function<void()> job);

 private:
  void Work();

  const std::size_t max_queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  bool closing_ = false;                     // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
