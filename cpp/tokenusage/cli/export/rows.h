// SPDX-License-Identifier: Apache-2.0

// Writes and reads the rows of an export: records or totals, as CSV or JSON
// Lines.
//
//   const ExportRows rows(request);
//   TOKENUSAGE_ASSIGN_OR_RETURN(const ExportRow row, rows.Write(record));
//   std::string part = rows.Heading() + row.text;
//   status = rows.Read(part, [](const ExportRow& row) { ... row.sum ... });
//
// JSON Lines are the messages UsageRecord and UsageRow. In CSV each measure has
// a column, times have the offset of the request's time zone, and a record that
// does not count has no numbers, so that the sum of a column is the total.

#ifndef TOKENUSAGE_CLI_EXPORT_ROWS_H_
#define TOKENUSAGE_CLI_EXPORT_ROWS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/cli/csv.h"
#include "tokenusage/internal/export_manifest.pb.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// The values of `content` and `format` of an ExportRequest.
inline constexpr char kExportRecords[] = "records";
inline constexpr char kExportTotals[] = "totals";
inline constexpr char kExportCsv[] = "csv";
inline constexpr char kExportJsonLines[] = "jsonl";

// The position of a row in the service's order: its time, then its record_id
// or its group's values.
struct ExportPosition {
  std::int64_t time_nanos = 0;
  std::vector<std::optional<std::string>> key;

  friend bool operator<(const ExportPosition& a, const ExportPosition& b) {
    return a.time_nanos != b.time_nanos ? a.time_nanos < b.time_nanos
                                        : a.key < b.key;
  }
};

struct ExportRow {
  std::string text;  // with its line feed
  ExportPosition position;
  UsageSum sum;  // empty if the row is a record that does not count
};

// Immutable, so thread-safe.
class ExportRows {
 public:
  // The time zone must exist, or be empty.
  explicit ExportRows(const internal::ExportRequest& request);

  // Returns the beginning of each part: in CSV, the names of the columns; else
  // nothing.
  std::string Heading() const;

  // Returns the row of a UsageRecord or of a UsageRow with totals. Errors:
  // those of AppendJson; INTERNAL if the totals are not decimals.
  template <typename Message>
  absl::StatusOr<ExportRow> Write(const Message& message) const;

  // Calls `visit` for each row of a part, without `text`. Counts the records'
  // usage again.
  //
  // Errors: DATA_LOSS, naming the row.
  absl::Status Read(std::string_view part,
                    const std::function<void(ExportRow row)>& visit) const;

 private:
  absl::Status ReadCsv(std::string_view part,
                       const std::function<void(ExportRow row)>& visit) const;
  std::vector<CsvField> ColumnNames() const;
  std::vector<CsvField> CsvFields(const v1::UsageRecord& record) const;
  std::vector<CsvField> CsvFields(const v1::UsageRow& row) const;

  const internal::ExportRequest request_;
  const bool is_csv_;
  const bool has_totals_;
  absl::TimeZone zone_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_EXPORT_ROWS_H_
