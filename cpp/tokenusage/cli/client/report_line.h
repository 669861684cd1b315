// SPDX-License-Identifier: Apache-2.0

// One line of a file for `tokenusage report`, as a record.

#ifndef TOKENUSAGE_CLI_CLIENT_REPORT_LINE_H_
#define TOKENUSAGE_CLI_CLIENT_REPORT_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// How lines are read. Immutable while lines are parsed.
struct ReportLineFormat {
  // The field of UsageRecord whose message each line holds, either by itself or
  // as `usage` in an envelope with record_id, event_time, operation, provider,
  // model and labels. Null: each line is a UsageRecord, as `tokenusage list`
  // prints it.
  const google::protobuf::FieldDescriptor* usage_field = nullptr;

  // What a line does not say is taken from here. In record_id, "{line}" stands
  // for the line's number.
  v1::UsageRecord defaults;

  // Whether envelopes and UsageRecords may have members that nobody knows; by
  // default they are refused, since one may be a misspelt name. Usage objects
  // always may.
  bool ignore_unknown = false;
};

// The record of one line. Thread-safe.
//
// Errors: INVALID_ARGUMENT, of ParseJson, or naming what is missing and the
// flag that gives it.
absl::StatusOr<v1::UsageRecord> ParseReportLine(std::string_view line,
                                                std::int64_t line_number,
                                                const ReportLineFormat& format);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_REPORT_LINE_H_
