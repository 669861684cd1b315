// SPDX-License-Identifier: Apache-2.0

// A fixed number of threads for work that may block, with a bounded queue in
// which callers take turns, and a caller's projects take turns, too.
//
//   WorkerPool pool(/*threads=*/5, {/*jobs=*/256, /*bytes=*/16 << 20});
//   if (!pool.TrySubmit({"finance", "demo"}, bytes, [] { ReadTheDisk(); })) {
//     return Busy();
//   }

#ifndef TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
#define TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace tokenusage {

// Thread-safe. Jobs of one key start in the order in which they were submitted.
// The next job is one of the caller that has the fewest running. Among several
// such callers, and among a caller's projects, the one whose last job started
// first is next. So a new caller or project comes first.
//
// The last idle thread is kept for a caller that has no job running, and the
// last but one for a caller or a key that has none: slow jobs of one caller
// never occupy all threads, and those of one of its projects leave a thread to
// its other projects.
class WorkerPool {
 public:
  struct Key {
    std::string caller;
    std::string project;
  };

  // The limits of the queue. A key may queue at most as much as is still free:
  // a single key half of the queue, two a third each. A larger job is taken if
  // the queue is empty.
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
  bool TrySubmit(const Key& key, std::int64_t bytes, std::function<void()> job);

 private:
  struct Job {
    std::int64_t number;
    std::int64_t bytes;
    std::function<void()> run;
  };
  // The number of running jobs, and the number of the last start.
  struct Turn {
    int running = 0;
    std::int64_t last_start = 0;
  };
  struct Lane {
    std::deque<Job> jobs;
    Queue queued;
    Turn turn;
  };
  struct Caller {
    std::map<std::string, Lane> lanes;  // by project; none of them is at rest
    Turn turn;
  };
  using Callers = std::map<std::string, Caller>;
  // A caller and one of its lanes.
  using Place =
      std::pair<Callers::iterator, std::map<std::string, Lane>::iterator>;

  void Work();
  // Returns whether a job of the lane may start now.
  bool MayStart(const Caller& caller, const Lane& lane) const;
  // Sets `place` to the lane whose job starts next. Returns false if there is
  // none that may start.
  bool FindNext(Place* place);
  // Starts the first job of the lane.
  Job Take(const Place& place);
  // Forgets the lane, and its caller, if nothing of them is queued or runs.
  void ForgetIfAtRest(const Place& place);

  const Queue max_queued_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Callers callers_;  // guarded by mutex_, as are those below
  Queue queued_;
  std::int64_t submitted_ = 0;
  std::int64_t started_ = 0;
  std::size_t idle_;  // threads
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_WORKER_POOL_H_
