// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/field_values.h"

#include <algorithm>

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

std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const v1::UsageRecord& record) {
  switch (field.kind) {
    case UsageField::Kind::kOperation:
      return record.operation();
    case UsageField::Kind::kProvider:
      return record.provider();
    case UsageField::Kind::kModel:
      return record.model();
    case UsageField::Kind::kLabel:
      break;
  }
  const auto label = record.labels().find(field.label_key);
  if (label == record.labels().end()) return std::nullopt;
  return label->second;
}

std::string_view FieldValue(const UsageField& field, const SeriesNames& names) {
  switch (field.kind) {
    case UsageField::Kind::kOperation:
      return names.operation;
    case UsageField::Kind::kProvider:
      return names.provider;
    case UsageField::Kind::kModel:
    case UsageField::Kind::kLabel:
      break;
  }
  return names.model;
}

GroupKey GroupKeyOf(const std::vector<UsageField>& group_by,
                    const v1::UsageRecord& record) {
  GroupKey key;
  key.reserve(group_by.size());
  for (const UsageField& field : group_by) {
    const std::optional<std::string_view> value = FieldValue(field, record);
    value ? key.emplace_back(std::string(*value)) : key.emplace_back();
  }
  return key;
}

bool Passes(const UsageFieldFilter& filter,
            std::optional<std::string_view> value) {
  if (!value) return filter.match_missing;
  return std::find(filter.values.begin(), filter.values.end(), *value) !=
         filter.values.end();
}

bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const v1::UsageRecord& record) {
  return std::all_of(filters.begin(), filters.end(),
                     [&record](const UsageFieldFilter& filter) {
                       return Passes(filter, FieldValue(filter.field, record));
                     });
}

}  // namespace tokenusage
