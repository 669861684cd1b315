// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/label_set.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

constexpr char kMissing = '\x01';
constexpr char kPresent = '\x02';

}  // namespace

std::string LabelSetOf(const RollupLabels& keys,
                       const v1::UsageRecord& record) {
  std::string text;
  for (const std::string& key : keys) {
    const auto label = record.labels().find(key);
    if (label == record.labels().end()) {
      text += kMissing;
    } else {
      text += kPresent;
      text += label->second;
    }
  }
  return text;
}

std::vector<std::optional<std::string_view>> LabelValues(
    std::string_view label_set) {
  std::vector<std::optional<std::string_view>> values;
  while (!label_set.empty()) {
    const bool present = label_set.front() == kPresent;
    label_set.remove_prefix(1);
    const std::size_t end = label_set.find_first_of("\x01\x02");
    values.push_back(present ? std::optional(label_set.substr(0, end))
                             : std::nullopt);
    label_set.remove_prefix(end == std::string_view::npos ? label_set.size()
                                                          : end);
  }
  return values;
}

std::string DescribeLabelSet(std::string_view label_set) {
  return absl::StrJoin(
      LabelValues(label_set), ", ",
      [](std::string* text, const std::optional<std::string_view>& value) {
        absl::StrAppend(
            text, value ? absl::StrCat("\"", ToAbsl(*value), "\"") : "none");
      });
}

}  // namespace tokenusage
