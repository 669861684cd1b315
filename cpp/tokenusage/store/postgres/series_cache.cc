// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/series_cache.h"

#include <random>
#include <utility>

namespace tokenusage {
namespace {

// Beyond this many series in memory, all are dropped and read again on demand.
constexpr std::size_t kMaxSeries = 200'000;

}  // namespace

std::int64_t RandomIncarnation() {
  std::random_device device;
  return std::uniform_int_distribution<std::int64_t>(1)(device);
}

std::shared_ptr<const PostgresProject> PostgresSeriesCache::Find(
    const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = projects_.find(name);
  return found == projects_.end() ? nullptr : found->second;
}

void PostgresSeriesCache::Remember(
    const std::string& name, std::shared_ptr<const PostgresProject> project) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ForgetLocked(name);
  // A project without series takes room, too.
  const std::size_t size = project->series.size() + 1;
  if (series_count_ + size > kMaxSeries) {
    projects_.clear();
    series_count_ = 0;
  }
  projects_[name] = std::move(project);
  series_count_ += size;
}

void PostgresSeriesCache::Forget(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ForgetLocked(name);
}

void PostgresSeriesCache::ForgetLocked(const std::string& name) {
  const auto found = projects_.find(name);
  if (found == projects_.end()) return;
  series_count_ -= found->second->series.size() + 1;
  projects_.erase(found);
}

}  // namespace tokenusage
