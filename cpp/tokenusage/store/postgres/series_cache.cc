// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/series_cache.h"

#include <random>
#include <utility>

namespace tokenusage {
namespace {

// Beyond this many series in memory, all are read anew as they are needed.
constexpr std::size_t kMaxSeries = 200'000;

}  // namespace

std::int64_t RandomIncarnation() {
  std::random_device device;
  return std::uniform_int_distribution<std::int64_t>(1)(device);
}

PostgresProjectPointer PostgresProjects::Find(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = projects_.find(name);
  return found == projects_.end() ? nullptr : found->second;
}

void PostgresProjects::Remember(const std::string& name,
                                PostgresProjectPointer project) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ForgetLocked(name);
  // A project without series takes room, too.
  const std::size_t size = project->series.size() + 1;
  if (series_ + size > kMaxSeries) {
    projects_.clear();
    series_ = 0;
  }
  projects_[name] = std::move(project);
  series_ += size;
}

void PostgresProjects::Forget(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ForgetLocked(name);
}

void PostgresProjects::ForgetLocked(const std::string& name) {
  const auto found = projects_.find(name);
  if (found == projects_.end()) return;
  series_ -= found->second->series.size() + 1;
  projects_.erase(found);
}

}  // namespace tokenusage
