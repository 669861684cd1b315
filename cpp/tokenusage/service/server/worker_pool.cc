// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/worker_pool.h"

#include <optional>

namespace tokenusage {

WorkerPool::WorkerPool(int threads, Queue max_queued)
    : max_queued_(max_queued), idle_(static_cast<std::size_t>(threads)) {
  // No job starts before all threads exist.
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

bool WorkerPool::TrySubmit(const Key& key, std::int64_t bytes,
                           std::function<void()> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto caller = callers_.try_emplace(key.caller).first;
    const Place place(caller,
                      caller->second.lanes.try_emplace(key.project).first);
    Lane& lane = place.second->second;
    if (queued_.jobs > 0 &&
        (lane.queued.jobs + 1 > max_queued_.jobs - queued_.jobs ||
         lane.queued.bytes + bytes > max_queued_.bytes - queued_.bytes)) {
      ForgetIfAtRest(place);
      return false;
    }
    lane.jobs.push_back({++submitted_, bytes, std::move(job)});
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
    Place place;
    bool found = false;
    changed_.wait(lock, [&] {
      found = FindNext(&place);
      return found || (closing_ && queued_.jobs == 0);
    });
    if (!found) return;
    Job job = Take(place);
    lock.unlock();
    job.run();
    job.run = nullptr;
    lock.lock();
    ++idle_;
    --place.first->second.turn.running;
    --place.second->second.turn.running;
    ForgetIfAtRest(place);
    // With one more idle thread, another lane's job may start as well.
    changed_.notify_all();
  }
}

bool WorkerPool::MayStart(const Caller& caller, const Lane& lane) const {
  if (lane.jobs.empty()) return false;
  if (caller.turn.running == 0) return true;
  if (idle_ == 1) return false;
  return idle_ > 2 || lane.turn.running == 0;
}

bool WorkerPool::FindNext(Place* place) {
  using Rank = std::tuple<int, std::int64_t, std::int64_t, std::int64_t>;
  std::optional<Rank> first;
  for (auto caller = callers_.begin(); caller != callers_.end(); ++caller) {
    auto& lanes = caller->second.lanes;
    for (auto lane = lanes.begin(); lane != lanes.end(); ++lane) {
      if (!MayStart(caller->second, lane->second)) continue;
      const Turn& turn = caller->second.turn;
      const Rank rank(turn.running, turn.last_start,
                      lane->second.turn.last_start,
                      lane->second.jobs.front().number);
      if (first && *first <= rank) continue;
      first = rank;
      *place = {caller, lane};
    }
  }
  return first.has_value();
}

WorkerPool::Job WorkerPool::Take(const Place& place) {
  Lane& lane = place.second->second;
  Job job = std::move(lane.jobs.front());
  lane.jobs.pop_front();
  for (Queue* queue : {&lane.queued, &queued_}) {
    --queue->jobs;
    queue->bytes -= job.bytes;
  }
  ++started_;
  for (Turn* turn : {&place.first->second.turn, &lane.turn}) {
    ++turn->running;
    turn->last_start = started_;
  }
  --idle_;
  return job;
}

void WorkerPool::ForgetIfAtRest(const Place& place) {
  const Lane& lane = place.second->second;
  if (!lane.jobs.empty() || lane.turn.running > 0) return;
  auto& lanes = place.first->second.lanes;
  lanes.erase(place.second);
  if (lanes.empty()) callers_.erase(place.first);
}

}  // namespace tokenusage
