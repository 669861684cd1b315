// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/export/rows.h"

#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/json_string.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/group_flags.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_totals.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {
namespace {

// The columns of records before those of the measures.
constexpr const char* kRecordColumns[] = {
    "record_id",    "event_time", "operation",    "provider",
    "model",        "labels",     "receive_time", "corrects",
    "corrected_by", "counted",    "inconsistent", "unknown_usage"};

// The number of columns that ReadRecord skips: from operation to corrected_by.
constexpr int kSkippedColumns = 7;

// The columns of totals before those of the groups, and after.
constexpr const char* kBucketColumns[] = {"bucket_start_time",
                                          "bucket_end_time"};
constexpr const char* kCountColumns[] = {
    "record_count", "inconsistent_record_count", "unknown_usage_record_count"};
constexpr char kCountSuffix[] = "_record_count";

constexpr char kTrue[] = "true";
constexpr char kFalse[] = "false";

template <typename Visitor>
void ForEachMeasure(const Visitor& visit) {
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    visit(static_cast<v1::UsageMeasure>(number));
  }
}

absl::StatusOr<ExportRow> RowOf(const v1::UsageRecord& record) {
  ExportRow row;
  row.position = {NanosFromTimestamp(record.event_time()),
                  {record.record_id()}};
  if (Counts(record)) row.sum.Add(CountRecord(record));
  return row;
}

absl::StatusOr<ExportRow> RowOf(const v1::UsageRow& totals) {
  ExportRow row;
  row.position = {NanosFromTimestamp(totals.bucket_start_time()),
                  GroupOf(totals)};
  std::optional<UsageSum> sum = FromUsageTotals(totals.totals());
  if (!sum) return absl::InternalError("totals: expected exact decimals");
  row.sum = *std::move(sum);
  return row;
}

// Formats labels as a JSON object with sorted keys.
std::string LabelsJson(const v1::UsageRecord& record) {
  const std::map<std::string, std::string> labels(record.labels().begin(),
                                                  record.labels().end());
  std::string json = "{";
  for (const auto& [key, value] : labels) {
    AppendJsonMember(key, value, &json);
  }
  return json + "}";
}

CsvField TextOrMissing(const std::string& text) {
  return text.empty() ? CsvField() : CsvField(text);
}

// Takes the fields of a line one by one. The first that is not as expected
// invalidates all that follow.
class FieldReader {
 public:
  explicit FieldReader(const std::vector<CsvField>& fields) : fields_(fields) {}

  bool ok() const { return is_ok_; }

  const CsvField& Next() { return fields_[at_++]; }

  std::int64_t Time() {
    const auto time = ParseTime("", Next().value_or(""), absl::UTCTimeZone());
    is_ok_ = is_ok_ && time.ok();
    return time.ok() ? NanosFromTimestamp(*time) : 0;
  }

  std::int64_t Number() {
    std::int64_t number = 0;
    is_ok_ = is_ok_ && absl::SimpleAtoi(Next().value_or(""), &number);
    return number;
  }

  bool Flag() {
    const CsvField& field = Next();
    is_ok_ = is_ok_ && (field == kTrue || field == kFalse);
    return field == kTrue;
  }

  // Returns nullopt if the field is missing.
  std::optional<Amount> AmountOrMissing() {
    const CsvField& field = Next();
    if (!field) return std::nullopt;
    const std::optional<Amount> amount = AmountFromDecimal(*field);
    is_ok_ = is_ok_ && amount.has_value();
    return amount;
  }

 private:
  const std::vector<CsvField>& fields_;
  std::size_t at_ = 0;
  bool is_ok_ = true;
};

// Reads the fields of a record. Returns false if they are not as expected.
bool ReadRecord(const std::vector<CsvField>& fields, ExportRow* row) {
  FieldReader reader(fields);
  row->position.key = {reader.Next()};
  row->position.time_nanos = reader.Time();
  for (int i = 0; i < kSkippedColumns; ++i) reader.Next();
  const bool is_counted = reader.Flag();
  UsageCounts counts;
  if (reader.Flag()) counts.set_inconsistent();
  if (reader.Flag()) counts.set_unknown();
  ForEachMeasure([&](v1::UsageMeasure measure) {
    const std::optional<Amount> amount = reader.AmountOrMissing();
    if (amount) counts.Set(measure, *amount);
  });
  if (is_counted) row->sum.Add(counts);
  return reader.ok() && (is_counted || counts.measures().empty());
}

// Reads the fields of totals with `groups` groups. Returns false if they are
// not as expected.
bool ReadTotals(const std::vector<CsvField>& fields, int groups,
                ExportRow* row) {
  FieldReader reader(fields);
  row->position.time_nanos = reader.Time();
  reader.Time();
  for (int i = 0; i < groups; ++i) row->position.key.push_back(reader.Next());
  row->sum.record_count = reader.Number();
  row->sum.inconsistent_record_count = reader.Number();
  row->sum.unknown_usage_record_count = reader.Number();
  bool is_whole = true;
  ForEachMeasure([&](v1::UsageMeasure measure) {
    const std::optional<Amount> amount = reader.AmountOrMissing();
    if (!amount) {
      is_whole = is_whole && !reader.Next();
      return;
    }
    row->sum.AddMeasure(measure, {reader.Number(), *amount});
  });
  return reader.ok() && is_whole;
}

template <typename Message>
absl::Status ReadJsonLines(std::string_view part,
                           const std::function<void(ExportRow row)>& visit) {
  JsonLinesReader lines(part);
  Message message;
  while (lines.Next(&message)) {
    const auto damage = [&lines](const absl::Status& status) {
      return absl::DataLossError(
          absl::StrCat("line ", lines.line_number(), ": ", status.message()));
    };
    if (!lines.status().ok()) return damage(lines.status());
    absl::StatusOr<ExportRow> row = RowOf(message);
    if (!row.ok()) return damage(row.status());
    visit(*std::move(row));
  }
  return absl::OkStatus();
}

}  // namespace

ExportRows::ExportRows(const internal::ExportRequest& request)
    : request_(request),
      is_csv_(request.format() == kExportCsv),
      has_totals_(request.content() == kExportTotals),
      zone_(ParseTimeZone(request.time_zone()).value_or(absl::UTCTimeZone())) {}

std::vector<CsvField> ExportRows::ColumnNames() const {
  std::vector<CsvField> names;
  if (!has_totals_) {
    names.assign(std::begin(kRecordColumns), std::end(kRecordColumns));
    ForEachMeasure([&names](v1::UsageMeasure measure) {
      names.emplace_back(NameOf(measure));
    });
    return names;
  }
  names.assign(std::begin(kBucketColumns), std::end(kBucketColumns));
  names.insert(names.end(), request_.group_by().begin(),
               request_.group_by().end());
  names.insert(names.end(), std::begin(kCountColumns), std::end(kCountColumns));
  ForEachMeasure([&names](v1::UsageMeasure measure) {
    names.emplace_back(NameOf(measure));
    names.emplace_back(NameOf(measure) + kCountSuffix);
  });
  return names;
}

std::string ExportRows::Heading() const {
  return is_csv_ ? CsvLine(ColumnNames()) : "";
}

std::vector<CsvField> ExportRows::CsvFields(
    const v1::UsageRecord& record) const {
  const bool is_counted = Counts(record);
  const UsageCounts counts = CountRecord(record);
  std::vector<CsvField> fields = {record.record_id(),
                                  FormatInstant(record.event_time(), zone_),
                                  record.operation(),
                                  record.provider(),
                                  record.model(),
                                  LabelsJson(record),
                                  FormatInstant(record.receive_time(), zone_),
                                  TextOrMissing(record.corrects()),
                                  TextOrMissing(record.corrected_by()),
                                  is_counted ? kTrue : kFalse,
                                  counts.inconsistent() ? kTrue : kFalse,
                                  counts.unknown() ? kTrue : kFalse};
  ForEachMeasure([&](v1::UsageMeasure measure) {
    fields.push_back(is_counted && counts.Has(measure)
                         ? CsvField(counts[measure].ToDecimal())
                         : CsvField());
  });
  return fields;
}

std::vector<CsvField> ExportRows::CsvFields(const v1::UsageRow& row) const {
  std::vector<CsvField> fields = {FormatInstant(row.bucket_start_time(), zone_),
                                  FormatInstant(row.bucket_end_time(), zone_)};
  const GroupValues group = GroupOf(row);
  fields.insert(fields.end(), group.begin(), group.end());
  const v1::UsageTotals& totals = row.totals();
  fields.emplace_back(absl::StrCat(totals.record_count()));
  fields.emplace_back(absl::StrCat(totals.inconsistent_record_count()));
  fields.emplace_back(absl::StrCat(totals.unknown_usage_record_count()));
  ForEachMeasure([&](v1::UsageMeasure measure) {
    const v1::MeasureTotal* const total = FindTotal(totals, measure);
    fields.push_back(total == nullptr ? CsvField() : CsvField(total->exact()));
    fields.push_back(total == nullptr
                         ? CsvField()
                         : CsvField(absl::StrCat(total->record_count())));
  });
  return fields;
}

template <typename Message>
absl::StatusOr<ExportRow> ExportRows::Write(const Message& message) const {
  TOKENUSAGE_ASSIGN_OR_RETURN(ExportRow row, RowOf(message));
  if (is_csv_) {
    row.text = CsvLine(CsvFields(message));
  } else {
    TOKENUSAGE_RETURN_IF_ERROR(AppendJsonLine(message, &row.text));
  }
  return row;
}
template absl::StatusOr<ExportRow> ExportRows::Write(
    const v1::UsageRecord& message) const;
template absl::StatusOr<ExportRow> ExportRows::Write(
    const v1::UsageRow& message) const;

absl::Status ExportRows::Read(
    std::string_view part,
    const std::function<void(ExportRow row)>& visit) const {
  if (is_csv_) return ReadCsv(part, visit);
  return has_totals_ ? ReadJsonLines<v1::UsageRow>(part, visit)
                     : ReadJsonLines<v1::UsageRecord>(part, visit);
}

absl::Status ExportRows::ReadCsv(
    std::string_view part,
    const std::function<void(ExportRow row)>& visit) const {
  CsvReader lines(part);
  const std::vector<CsvField> names = ColumnNames();
  std::vector<CsvField> fields;
  for (std::int64_t number = 0;; ++number) {
    const absl::StatusOr<bool> found = lines.Next(&fields);
    if (!found.ok()) {
      return absl::DataLossError(
          absl::StrCat("row ", number, ": ", found.status().message()));
    }
    if (number == 0) {
      if (*found && fields == names) continue;
      return absl::DataLossError("expected the names of the columns");
    }
    if (!*found) return absl::OkStatus();
    ExportRow row;
    const bool is_row =
        fields.size() == names.size() &&
        (has_totals_ ? ReadTotals(fields, request_.group_by_size(), &row)
                     : ReadRecord(fields, &row));
    if (!is_row) {
      return absl::DataLossError(absl::StrCat(
          "row ", number, ": expected the columns of the heading"));
    }
    visit(std::move(row));
  }
}

}  // namespace tokenusage
