// SPDX-License-Identifier: Apache-2.0

// The values by which records are grouped and filtered.

#ifndef TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
#define TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// The names that a record shares with many others. A series is a distinct
// (operation, provider, model) of a project.
struct SeriesNames {
  std::string operation;
  std::string provider;
  std::string model;

  friend bool operator==(const SeriesNames& a, const SeriesNames& b) {
    return a.AsTuple() == b.AsTuple();
  }
  friend bool operator<(const SeriesNames& a, const SeriesNames& b) {
    return a.AsTuple() < b.AsTuple();
  }
  template <typename H>
  friend H AbslHashValue(H state, const SeriesNames& names) {
    return H::combine(std::move(state), names.operation, names.provider,
                      names.model);
  }

 private:
  std::tuple<const std::string&, const std::string&, const std::string&>
  AsTuple() const {
    return std::tie(operation, provider, model);
  }
};

SeriesNames SeriesNamesOf(const v1::UsageRecord& record);

// Returns a text that differs for each combination of names: names hold no
// control characters.
std::string SeriesKey(const v1::UsageRecord& record);
std::string SeriesKey(const SeriesNames& names);

// Returns a field's value; empty if there is no such label. The view lives as
// long as what it was taken from. The second form is not for labels.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const v1::UsageRecord& record);
std::string_view FieldValue(const UsageField& field, const SeriesNames& names);

// Returns the group that a record is counted in.
GroupKey GroupKeyOf(const std::vector<UsageField>& group_by,
                    const v1::UsageRecord& record);

// Returns whether a value passes a filter.
bool Passes(const UsageFieldFilter& filter,
            std::optional<std::string_view> value);

// Returns whether a record passes all filters.
bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const v1::UsageRecord& record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
