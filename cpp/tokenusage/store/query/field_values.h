// SPDX-License-Identifier: Apache-2.0

// The values by which records are grouped and filtered.

#ifndef TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
#define TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_

#include <optional>
#include <string>
#include <string_view>
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
};

SeriesNames SeriesNamesOf(const v1::UsageRecord& record);

// One text per distinct names: names hold no control characters.
std::string SeriesKey(const v1::UsageRecord& record);
std::string SeriesKey(const SeriesNames& names);

// A field's value; empty where there is no such label. The view lives as long
// as what it was taken from. The field of the second form is not a label.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const v1::UsageRecord& record);
std::string_view FieldValue(const UsageField& field, const SeriesNames& names);

// The group that a record is counted in.
GroupKey GroupKeyOf(const std::vector<UsageField>& group_by,
                    const v1::UsageRecord& record);

// Whether a value passes a filter.
bool Passes(const UsageFieldFilter& filter,
            std::optional<std::string_view> value);

// Whether a record passes all filters.
bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const v1::UsageRecord& record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
