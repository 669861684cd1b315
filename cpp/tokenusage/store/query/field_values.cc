// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/field_values.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tokenusage/store/query/label_set.h"

namespace tokenusage {
namespace {

// Names hold no control characters.
constexpr absl::string_view kSeparator("\0", 1);

// Returns the name that `field` selects; empty for projects and labels. The
// view lives as long as that name.
std::optional<std::string_view> NameOf(const UsageField& field,
                                       const std::string& operation,
                                       const std::string& provider,
                                       const std::string& model) {
  switch (field.kind) {
    case UsageField::Kind::kOperation:
      return operation;
    case UsageField::Kind::kProvider:
      return provider;
    case UsageField::Kind::kModel:
      return model;
    case UsageField::Kind::kProject:
    case UsageField::Kind::kLabel:
      break;
  }
  return std::nullopt;
}

// Returns a field's value; empty if it is a project, or there is no such label.
// The view lives as long as the record.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const v1::UsageRecord& record) {
  if (field.kind != UsageField::Kind::kLabel) {
    return NameOf(field, record.operation(), record.provider(), record.model());
  }
  const auto label = record.labels().find(field.label_key);
  if (label == record.labels().end()) return std::nullopt;
  return label->second;
}

// Does the same for a series, but not for its labels: see LabelValue.
std::optional<std::string_view> FieldValue(const UsageField& field,
                                           const SeriesNames& names) {
  return NameOf(field, names.operation, names.provider, names.model);
}

using Values = std::vector<std::optional<std::string_view>>;

// Returns the value of a label of a series.
std::optional<std::string_view> LabelValue(const UsageField& field,
                                           const Values& values,
                                           const RollupLabels& labels) {
  const auto key =
      std::lower_bound(labels.begin(), labels.end(), field.label_key);
  const auto at = static_cast<std::size_t>(key - labels.begin());
  if (at >= values.size() || *key != field.label_key) return std::nullopt;
  return values[at];
}

bool Passes(const UsageFieldFilter& filter,
            std::optional<std::string_view> value) {
  if (!value) return filter.match_missing;
  return std::find(filter.values.begin(), filter.values.end(), *value) !=
         filter.values.end();
}

// Encodes a group's values. `value_of` returns that of a field other than the
// project.
template <typename ValueOf>
std::string EncodedGroup(const std::vector<UsageField>& group_by,
                         std::string_view project, const ValueOf& value_of) {
  std::string key;
  for (const UsageField& field : group_by) {
    AppendGroupValue(
        field.kind == UsageField::Kind::kProject ? project : value_of(field),
        &key);
  }
  return key;
}

}  // namespace

SeriesNames SeriesNamesOf(const v1::UsageRecord& record) {
  return {record.operation(), record.provider(), record.model()};
}

std::string SeriesKey(const v1::UsageRecord& record) {
  return absl::StrCat(record.operation(), kSeparator, record.provider(),
                      kSeparator, record.model());
}

std::string SeriesKey(const SeriesNames& names) {
  return absl::StrCat(names.operation, kSeparator, names.provider, kSeparator,
                      names.model);
}

std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project,
                           const v1::UsageRecord& record) {
  return EncodedGroup(group_by, project, [&](const UsageField& field) {
    return FieldValue(field, record);
  });
}

std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project, const SeriesNames& names,
                           const RollupLabels& labels) {
  const Values values = LabelValues(names.labels);
  return EncodedGroup(group_by, project, [&](const UsageField& field) {
    return field.kind == UsageField::Kind::kLabel
               ? LabelValue(field, values, labels)
               : FieldValue(field, names);
  });
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

bool LabelsPassAll(const std::vector<UsageFieldFilter>& filters,
                   std::string_view label_set, const RollupLabels& labels) {
  const Values values = LabelValues(label_set);
  return std::all_of(
      filters.begin(), filters.end(), [&](const UsageFieldFilter& filter) {
        return filter.field.kind != UsageField::Kind::kLabel ||
               Passes(filter, LabelValue(filter.field, values, labels));
      });
}

}  // namespace tokenusage
