// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/worker_pool.h"

#include <algorithm>
#include <utility>

namespace tokenusage {

WorkerPool::WorkerPool(int threads, Queue max_queued)
    : max_queued_(max_queued), idle_(threads) {
  // The first threads read threads_ while the last ones are added.
  const std::lock_guard<std::mutex> lock(mutex_);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::TrySubmit(const std::string& key, std::int64_t bytes,
                           std::function<void()> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto entry = lanes_.try_emplace(key).first;
    Lane& lane = entry->second;
    if (queued_.jobs > 0 &&
        (lane.queued.jobs + 1 > max_queued_.jobs - queued_.jobs ||
         lane.queued.bytes + bytes > max_queued_.bytes - queued_.bytes)) {
      if (lane.jobs.empty() && lane.running == 0) lanes_.erase(entry);
      return false;
    }
    if (lane.jobs.empty()) turns_.push_back(entry);
    lane.jobs.push_back({bytes, std::move(job)});
    for (Queue* queue : {&lane.queued, &queued_}) {
      ++queue->jobs;
      queue->bytes += bytes;
    }
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    auto turn = turns_.end();
    changed_.wait(lock, [&] {
      turn = Next();
      return turn != turns_.end() || (closing_ && turns_.empty());
    });
    if (turn == turns_.end()) return;
    const Lanes::iterator lane = *turn;
    Job job = Take(turn);
    lock.unlock();
    job.run();
    job.run = nullptr;
    lock.lock();
    ++idle_;
    if (--lane->second.running == 0 && lane->second.jobs.empty()) {
      lanes_.erase(lane);
    }
    // With one more idle thread, another lane's job may start as well.
    changed_.notify_all();
  }
}

std::list<WorkerPool::Lanes::iterator>::iterator WorkerPool::Next() {
  const bool is_last = idle_ == 1 && threads_.size() > 1;
  return std::find_if(turns_.begin(), turns_.end(), [&](Lanes::iterator lane) {
    return !is_last || lane->second.running == 0;
  });
}

WorkerPool::Job WorkerPool::Take(std::list<Lanes::iterator>::iterator turn) {
  Lane& lane = (*turn)->second;
  Job job = std::move(lane.jobs.front());
  lane.jobs.pop_front();
  for (Queue* queue : {&lane.queued, &queued_}) {
    --queue->jobs;
    queue->bytes -= job.bytes;
  }
  ++lane.running;
  --idle_;
  if (lane.jobs.empty()) {
    turns_.erase(turn);
  } else {
    turns_.splice(turns_.end(), turns_, turn);
  }
  return job;
}

}  // namespace tokenusage
