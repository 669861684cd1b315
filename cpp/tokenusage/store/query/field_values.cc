// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/field_values.h"

#include <algorithm>
#include <optional>

namespace tokenusage {
namespace {

std::string JoinNames(const std::string& operation, const std::string& provider,
                      const std::string& model) {
  std::string key;
  key.reserve(operation.size() + provider.size() + model.size() + 2);
  key += operation;
  key += '\0';
  key += provider;
  key += '\0';
  key += model;
  return key;
}

// Returns a field's value; empty if there is no such label. The view lives as
// long as what it was taken from.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const v1::UsageRecord& record) {
  switch (field.kind) {
    case UsageField::Kind::kOperation:
      return record.operation();
    case UsageField::Kind::kProvider:
      return record.provider();
    case UsageField::Kind::kModel:
      return record.model();
    case UsageField::Kind::kProject:
    case UsageField::Kind::kLabel:
      break;
  }
  const auto label = record.labels().find(field.label_key);
  if (label == record.labels().end()) return std::nullopt;
  return label->second;
}

// The same for a series, which has no labels.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const SeriesNames& names) {
  switch (field.kind) {
    case UsageField::Kind::kOperation:
      return names.operation;
    case UsageField::Kind::kProvider:
      return names.provider;
    case UsageField::Kind::kModel:
      return names.model;
    case UsageField::Kind::kProject:
    case UsageField::Kind::kLabel:
      break;
  }
  return std::nullopt;
}

bool Passes(const UsageFieldFilter& filter,
            std::optional<std::string_view> value) {
  if (!value) return filter.match_missing;
  return std::find(filter.values.begin(), filter.values.end(), *value) !=
         filter.values.end();
}

template <typename Source>
std::string EncodedGroup(const std::vector<UsageField>& group_by,
                         std::string_view project, const Source& source) {
  std::string key;
  for (const UsageField& field : group_by) {
    AppendGroupValue(field.kind == UsageField::Kind::kProject
                         ? project
                         : FieldValue(field, source),
                     &key);
  }
  return key;
}

}  // namespace

SeriesNames SeriesNamesOf(const v1::UsageRecord& record) {
  return {record.operation(), record.provider(), record.model()};
}

std::string SeriesKey(const v1::UsageRecord& record) {
  return JoinNames(record.operation(), record.provider(), record.model());
}

std::string SeriesKey(const SeriesNames& names) {
  return JoinNames(names.operation, names.provider, names.model);
}

std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project,
                           const v1::UsageRecord& record) {
  return EncodedGroup(group_by, project, record);
}

std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project, const SeriesNames& names) {
  return EncodedGroup(group_by, project, names);
}

bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const v1::UsageRecord& record) {
  return std::all_of(filters.begin(), filters.end(),
                     [&record](const UsageFieldFilter& filter) {
                       return Passes(filter, FieldValue(filter.field, record));
                     });
}

bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const SeriesNames& names) {
  return std::all_of(filters.begin(), filters.end(),
                     [&names](const UsageFieldFilter& filter) {
                       return filter.field.kind == UsageField::Kind::kLabel ||
                              Passes(filter, FieldValue(filter.field, names));
                     });
}

}  // namespace tokenusage
