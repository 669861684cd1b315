// SPDX-License-Identifier: Apache-2.0

// Reads the lines of a file for `tokenusage report` as records.
//
//   ReportLineParser parser(std::move(format));
//   absl::StatusOr<v1::UsageRecord> record = parser.Parse(line, line_number);

#ifndef TOKENUSAGE_CLI_REPORT_REPORT_LINE_H_
#define TOKENUSAGE_CLI_REPORT_REPORT_LINE_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// The format of the lines.
struct ReportLineFormat {
  // The field of UsageRecord whose message each line holds, either bare or as
  // `usage` in an envelope, which is a record with its usage under that name.
  // Null: each line is a UsageRecord, as `tokenusage list` prints it.
  const ::google::protobuf::FieldDescriptor* usage_field = nullptr;

  // Supplies the fields that a line leaves out or empty. In record_id, "{line}"
  // stands for the line's number.
  v1::UsageRecord defaults;

  // Ignores unknown members of envelopes and records. By default they are
  // refused: one may be a misspelt name. In usage objects of envelopes, and in
  // bare ones, they are always ignored.
  bool ignore_unknown = false;
};

class ReportLineParser {
 public:
  explicit ReportLineParser(ReportLineFormat format);

  const ReportLineFormat& format() const { return format_; }

  // Parses one line. Thread-safe.
  //
  // Errors: INVALID_ARGUMENT if the line is wrong, and those of Complete;
  // FAILED_PRECONDITION if --message was forgotten: other lines will fail as
  // well.
  absl::StatusOr<v1::UsageRecord> Parse(std::string_view line,
                                        std::int64_t line_number) const;

  // Sets the fields that a record of the line leaves out to the defaults, then
  // checks the fields that every record needs. Thread-safe.
  //
  // Errors: INVALID_ARGUMENT if a field is missing, naming its flag, or if the
  // operation is that of another kind of usage.
  absl::Status Complete(std::int64_t line_number,
                        v1::UsageRecord* record) const;

 private:
  absl::Status ParseUsageLine(std::string_view line,
                              v1::UsageRecord* record) const;
  absl::Status ParseRecordLine(std::string_view line,
                               v1::UsageRecord* record) const;

  const ReportLineFormat format_;
  ::google::protobuf::DescriptorPool pool_;
  ::google::protobuf::DynamicMessageFactory factory_;
  const ::google::protobuf::Message* envelope_ = nullptr;  // a prototype
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_REPORT_REPORT_LINE_H_
