// SPDX-License-Identifier: Apache-2.0

// --filter and --filter-missing, shared by the commands that read.

#ifndef TOKENUSAGE_CLI_CLIENT_FILTER_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_FILTER_FLAGS_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "google/protobuf/repeated_field.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct FilterFlags {
  std::vector<std::string> filters;
  std::vector<std::string> missing;
};
void AddFilterFlags(CLI::App* command, FilterFlags* flags);

// Adds the filters to a request, those on one field as one. Errors:
// INVALID_ARGUMENT, naming the flag.
absl::Status ParseFilters(
    const FilterFlags& flags,
    ::google::protobuf::RepeatedPtrField<v1::UsageFilter>* filters);

// Returns the query for the total of the records that a request selects by its
// project, its window and its filters.
template <typename Request>
v1::QueryUsageRequest TotalQuery(const Request& request) {
  v1::QueryUsageRequest query;
  query.set_project(request.project());
  *query.mutable_start_time() = request.start_time();
  *query.mutable_end_time() = request.end_time();
  *query.mutable_filters() = request.filters();
  return query;
}

// Names on stderr the values of the query's filters that no record of its
// window has. `found_some` says whether the query found any records: if so, a
// filter with one value needs no call.
absl::Status SayWhatNothingHas(const v1::QueryUsageRequest& query,
                               bool found_some, UsageClient* client);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_FILTER_FLAGS_H_
