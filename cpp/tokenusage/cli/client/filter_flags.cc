// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/filter_flags.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/terminal.h"

namespace tokenusage {
namespace {

// Names the values of a filter that no record of the query's window has.
absl::Status SayMissingValues(const v1::QueryUsageRequest& query,
                              const v1::UsageFilter& filter,
                              UsageClient* client) {
  v1::QueryUsageRequest request = TotalQuery(query);
  request.clear_filters();
  request.add_group_by(filter.field());
  *request.add_filters() = filter;
  // One page is enough: a filter has fewer values than a page has rows.
  TOKENUSAGE_ASSIGN_OR_RETURN(const v1::QueryUsageResponse response,
                              client->Query(request));
  std::set<std::string> found;
  for (const v1::UsageRow& row : response.rows()) {
    found.insert(row.group(0).value());
  }
  for (const std::string& value : filter.values()) {
    if (found.count(value) > 0) continue;
    PrintError(absl::StrCat("--filter: no record of the window has ",
                            filter.field(), " \"", Excerpt(value), "\""));
  }
  return absl::OkStatus();
}

}  // namespace

void AddFilterFlags(CLI::App* command, FilterFlags* flags) {
  command
      ->add_option("--filter", flags->filters,
                   "FIELD=VALUE: only records with this value. Repeatable: "
                   "values of one field are alternatives")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--filter-missing", flags->missing,
          "labels.KEY: records without this label, in addition to those that "
          "--filter selects by it. Repeatable")
      ->allow_extra_args(false);
}

absl::Status ParseFilters(
    const FilterFlags& flags,
    ::google::protobuf::RepeatedPtrField<v1::UsageFilter>* filters) {
  std::map<std::string, v1::UsageFilter> by_field;
  for (const std::string& filter : flags.filters) {
    const std::size_t equals = filter.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--filter: expected FIELD=VALUE, found \"", Excerpt(filter), "\""));
    }
    by_field[filter.substr(0, equals)].add_values(filter.substr(equals + 1));
  }
  for (const std::string& field : flags.missing) {
    by_field[field].set_match_missing(true);
  }
  for (auto& [field, filter] : by_field) {
    filter.set_field(field);
    *filters->Add() = std::move(filter);
  }
  return absl::OkStatus();
}

absl::Status SayWhatNothingHas(const v1::QueryUsageRequest& query,
                               bool found_some, UsageClient* client) {
  for (const v1::UsageFilter& filter : query.filters()) {
    const bool may_be_missing =
        !found_some || filter.values_size() > 1 || filter.match_missing();
    if (filter.values().empty() || !may_be_missing) continue;
    TOKENUSAGE_RETURN_IF_ERROR(SayMissingValues(query, filter, client));
  }
  return absl::OkStatus();
}

}  // namespace tokenusage
