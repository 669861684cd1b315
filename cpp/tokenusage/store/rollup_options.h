// SPDX-License-Identifier: Apache-2.0

// Options for the rollups of a database, and the limit of their series.
//
//   RollupOptions options;
//   options.labels = ParseRollupLabels("customer,team").value();
//   std::unique_ptr<UsageStore> store = NewMemoryStore(options);

#ifndef TOKENUSAGE_STORE_ROLLUP_OPTIONS_H_
#define TOKENUSAGE_STORE_ROLLUP_OPTIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// Label keys, sorted, each once, at most kMaxRollupLabels. Queries that use no
// other labels are answered from rollups.
using RollupLabels = std::vector<std::string>;

inline constexpr int kMaxRollupLabels = 4;

// The default and the largest value of RollupOptions::max_series.
inline constexpr int kMaxSeriesPerProject = 10'000;
inline constexpr int kMostSeriesPerProject = 1'000'000;

struct RollupOptions {
  // The keys of a database without projects. One with projects must have the
  // same. nullopt: those that the database has; none if it is new.
  std::optional<RollupLabels> labels;

  // The limit of one project's distinct (operation, provider, model) and
  // distinct combinations of the rollup labels' values together. Existing ones
  // stay, even if they are more.
  int max_series = kMaxSeriesPerProject;
};

// Parses keys separated by commas, in any order; none if `text` is empty.
//
// Errors: INVALID_ARGUMENT, naming the key, if one is no label key or is
// repeated, or there are too many.
absl::StatusOr<RollupLabels> ParseRollupLabels(std::string_view text);

// Returns the text that ParseRollupLabels parses.
std::string RollupLabelsText(const RollupLabels& labels);

// Returns FAILED_PRECONDITION, which says what to do, unless `wanted` is
// nullopt or the same as `found`, the keys of an existing database. `database`
// names it.
absl::Status CheckRollupLabels(std::string_view database,
                               const RollupLabels& found,
                               const std::optional<RollupLabels>& wanted);

// Returns FAILED_PRECONDITION: a change from `labels` to others would lose
// rollups by label of `project` from before its horizon.
absl::Status LabelHistoryError(std::string_view project,
                               const RollupLabels& labels);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_ROLLUP_OPTIONS_H_
