// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/local/counts_line.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/json_string.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"

namespace tokenusage {
namespace {

void AppendMember(const char* name, std::string_view text, std::string* line) {
  absl::StrAppend(line, "\"", name, "\":");
  AppendJsonString(text, line);
  line->push_back(',');
}

void AppendCounts(const UsageCounts& counts, std::string* line) {
  const auto* const names = v1::TokenUsage::descriptor();
  const char* separator = "";
  line->append("\"counts\":{");
  counts.ForEach([&](v1::UsageMeasure measure, Amount amount) {
    const std::string name(names->FindFieldByNumber(measure)->name());
    absl::StrAppend(line, separator, "\"", name, "\":\"", amount.ToDecimal(),
                    "\"");
    separator = ",";
  });
  line->append("},");
}

}  // namespace

absl::StatusOr<std::string> CountsLine(const v1::UsageRecord& record,
                                       bool is_complete,
                                       std::string_view detail) {
  std::vector<v1::UsageInconsistency> why;
  const UsageCounts counts = CountRecord(record, &why);
  const auto* field = record.GetReflection()->GetOneofFieldDescriptor(
      record, v1::UsageRecord::descriptor()->FindOneofByName("usage"));
  std::string line = "{";
  AppendMember("message", std::string(field->message_type()->full_name()),
               &line);
  AppendMember("model", record.model(), &line);
  absl::StrAppend(&line, "\"complete\":", is_complete ? "true," : "false,");
  if (record.has_usage_unknown()) {
    AppendMember("unknown_reason",
                 v1::UnknownUsageReason_Name(record.usage_unknown().reason()),
                 &line);
  }
  if (!detail.empty()) AppendMember("detail", detail, &line);
  AppendCounts(counts, &line);
  line.append("\"inconsistencies\":[");
  for (const v1::UsageInconsistency& inconsistency : why) {
    if (&inconsistency != &why.front()) line.push_back(',');
    TOKENUSAGE_RETURN_IF_ERROR(AppendJson(inconsistency, &line));
  }
  line.append("]}\n");
  return line;
}

}  // namespace tokenusage
