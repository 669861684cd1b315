// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/table/series.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tokenusage {
namespace {

// The maximum number of cached projects, and of cached series of all projects:
// 200 bytes each.
constexpr std::size_t kMaxSize = 100'000;

std::string SeriesCacheKey(std::int64_t incarnation,
                           const std::string& series) {
  return absl::StrCat(incarnation, "/", series);
}

}  // namespace

SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column) {
  return {std::string(rows.Bytes(row, first_column)),
          std::string(rows.Bytes(row, first_column + 1)),
          std::string(rows.Bytes(row, first_column + 2))};
}

PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series) {
  PostgresParams params(project);
  for (std::string SeriesNames::*name :
       {&SeriesNames::operation, &SeriesNames::provider, &SeriesNames::model}) {
    PostgresArray values = PostgresArray::Texts(series.size());
    for (const SeriesNames& names : series) values.Add(names.*name);
    params.Add(std::move(values));
  }
  return params;
}

std::int64_t RandomIncarnation() {
  std::random_device device;
  return std::uniform_int_distribution<std::int64_t>(1)(device);
}

PostgresSeriesCache::PostgresSeriesCache(RollupLabels labels_of_new_projects)
    : labels_of_new_projects_(std::move(labels_of_new_projects)),
      projects_(kMaxSize),
      series_(kMaxSize) {}

RollupLabels PostgresSeriesCache::LabelsOfNewProjects() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return labels_of_new_projects_;
}

void PostgresSeriesCache::RememberLabelsOfNewProjects(
    const RollupLabels& labels) {
  const std::lock_guard<std::mutex> lock(mutex_);
  labels_of_new_projects_ = labels;
}

std::optional<PostgresProject> PostgresSeriesCache::Find(
    const std::string& project) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const PostgresProject* const found = projects_.Find(project);
  if (found == nullptr) return std::nullopt;
  return *found;
}

bool PostgresSeriesCache::HasAll(std::int64_t incarnation,
                                 const SeriesKeys& series) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::all_of(series.begin(), series.end(), [&](const std::string& key) {
    return series_.Find(SeriesCacheKey(incarnation, key)) != nullptr;
  });
}

void PostgresSeriesCache::Remember(const std::string& project,
                                   const PostgresProject& found,
                                   const SeriesKeys& series) {
  const std::lock_guard<std::mutex> lock(mutex_);
  projects_.Insert(project, found);
  for (const std::string& key : series) {
    series_.Insert(SeriesCacheKey(found.incarnation, key), true);
  }
}

void PostgresSeriesCache::Forget(const std::string& project) {
  const std::lock_guard<std::mutex> lock(mutex_);
  projects_.Erase(project);
}

}  // namespace tokenusage
