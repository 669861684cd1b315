// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/record_selection.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/store/query/field_values.h"

namespace tokenusage {
namespace {

// The longest name or value of a record.
constexpr std::size_t kMaxChars = 256;

std::string NameOf(const UsageField& field) {
  switch (field.kind) {
    case UsageField::Kind::kProject:
      return "project";
    case UsageField::Kind::kOperation:
      return "operation";
    case UsageField::Kind::kProvider:
      return "provider";
    case UsageField::Kind::kModel:
      return "model";
    case UsageField::Kind::kLabel:
      break;
  }
  return "labels." + field.label_key;
}

std::string Quoted(const std::string& value) {
  return absl::StrCat("\"", Excerpt(value, kMaxChars), "\"");
}

std::string TimeText(std::int64_t nanos) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixNanos(nanos),
                          absl::UTCTimeZone());
}

// Returns `NAME="VALUE"|"VALUE"`.
std::string Alternatives(const std::string& name,
                         const std::vector<std::string>& values,
                         bool match_missing) {
  std::vector<std::string> texts;
  for (const std::string& value : values) texts.push_back(Quoted(value));
  if (match_missing) texts.emplace_back("none");
  return absl::StrCat(name, "=", absl::StrJoin(texts, "|"));
}

}  // namespace

bool IsSelected(const RecordSelection& selection,
                const v1::UsageRecord& record) {
  const std::int64_t time = NanosFromTimestamp(record.event_time());
  return time >= selection.window.start_nanos &&
         time < selection.window.end_nanos &&
         (selection.record_ids.empty() ||
          selection.record_ids.count(record.record_id()) > 0) &&
         PassesAll(selection.filters, record);
}

std::string DescribeSelection(const RecordSelection& selection) {
  std::vector<std::string> parts;
  if (!selection.record_ids.empty()) {
    const std::set<std::string>& ids = selection.record_ids;
    parts.push_back(Alternatives("record_id", {ids.begin(), ids.end()}, false));
  }
  for (const UsageFieldFilter& filter : selection.filters) {
    parts.push_back(Alternatives(NameOf(filter.field), filter.values,
                                 filter.match_missing));
  }
  const auto [start, end] = selection.window;
  if (start > kMinTimeSeconds * kNanosPerSecond) {
    parts.push_back("from " + TimeText(start));
  }
  if (end < kMaxTimeSeconds * kNanosPerSecond) {
    parts.push_back("until " + TimeText(end));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace tokenusage
