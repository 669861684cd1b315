// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/series.h"

#include <random>
#include <utility>

namespace tokenusage {
namespace {

// Beyond this many series in memory, all are dropped and read again on demand.
constexpr std::size_t kMaxSeries = 200'000;

}  // namespace

SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column) {
  return {std::string(rows.Bytes(row, first_column)),
          std::string(rows.Bytes(row, first_column + 1)),
          std::string(rows.Bytes(row, first_column + 2))};
}

PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series) {
  PostgresParams params;
  params.AddText(project);
  for (std::string SeriesNames::*name :
       {&SeriesNames::operation, &SeriesNames::provider, &SeriesNames::model}) {
    PostgresArray values = PostgresArray::Texts(series.size());
    for (const SeriesNames& names : series) {
      values.Add(std::string_view(names.*name));
    }
    params.AddArray(std::move(values));
  }
  return params;
}

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
