// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/cli/query/answer.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

// Returns the heading of the buckets' column, such as `day`.
std::string BucketName(v1::TimeBucket bucket) {
  constexpr std::size_t kPrefix = sizeof("TIME_BUCKET_") - 1;
  return absl::AsciiStrToLower(v1::TimeBucket_Name(bucket).substr(kPrefix));
}

// Formats the bucket's start as briefly as its kind allows.
std::string BucketLabel(const v1::UsageRow& row, v1::TimeBucket bucket,
                        absl::TimeZone zone) {
  const absl::Time start = ToTime(row.bucket_start_time());
  switch (bucket) {
    case v1::TIME_BUCKET_MINUTE:
    case v1::TIME_BUCKET_HOUR:
      return absl::FormatTime("%Y-%m-%dT%H:%MZ", start, absl::UTCTimeZone());
    case v1::TIME_BUCKET_WEEK:
      return absl::FormatTime("%G-W%V", start, zone);
    case v1::TIME_BUCKET_MONTH:
      return absl::FormatTime("%Y-%m", start, zone);
    default:
      return absl::FormatTime("%Y-%m-%d", start, zone);
  }
}

// Returns a total and, if not all of the row's records state it, the number of
// those that do.
std::string FormatTotal(const MeasureSum& total, std::int64_t record_count) {
  std::string text = total.amount.ToDecimal();
  if (total.record_count != record_count) {
    absl::StrAppend(&text, " (", total.record_count, " of ", record_count, ")");
  }
  return text;
}

// Returns `part` in percent of `whole` or, if `is_change`, the change from
// `whole` to `part`; empty if one of them is missing, or `whole` is 0.
std::string FormatPercent(std::optional<Amount> part,
                          std::optional<Amount> whole, bool is_change) {
  if (!part || !whole || *whole == Amount()) return "";
  const double percent = 100 * part->ToDouble() / whole->ToDouble();
  return is_change ? absl::StrFormat("%+.1f%%", percent - 100)
                   : absl::StrFormat("%.1f%%", percent);
}

class Table {
 public:
  explicit Table(const QueryAnswer& answer)
      : answer_(answer), has_bucket_(answer.bucket != v1::TIME_BUCKET_NONE) {
    if (has_bucket_) heading_.push_back(BucketName(answer.bucket));
    heading_.insert(heading_.end(), answer.group_by.begin(),
                    answer.group_by.end());
  }

  void AddRow(const QueryRow& row) {
    std::vector<std::string> group;
    if (has_bucket_) {
      group.push_back(
          BucketLabel(row.row, answer_.bucket, answer_.window.zone));
    }
    for (const v1::GroupValue& value : row.row.group()) {
      // Escaped, so that a value cannot control the terminal.
      group.push_back(value.has_value()
                          ? Excerpt(value.value(), /*max_chars=*/SIZE_MAX)
                          : "<none>");
    }
    Add(std::move(group), row.sum, row.total_before);
  }

  void AddTotal() {
    std::vector<std::string> group(heading_.size());
    if (!group.empty()) group[0] = "total";
    Add(std::move(group), answer_.total, answer_.total_before);
  }

  std::size_t first_number_column() const { return heading_.size(); }

  // Returns the heading and the rows.
  std::vector<std::vector<std::string>> Cells() const {
    std::vector<std::vector<std::string>> cells = {heading_};
    for (const auto& [column, name] : columns_) cells[0].push_back(name);
    for (const Row& row : rows_) {
      cells.push_back(row.group);
      for (const auto& [column, name] : columns_) {
        const auto number = row.numbers.find(column);
        cells.back().push_back(number == row.numbers.end() ? "-"
                                                           : number->second);
      }
    }
    return cells;
  }

 private:
  // Columns of numbers: these, and between them the measures by their numbers.
  enum Column {
    kRecords = -2,
    kInconsistent = -1,
    kUnknownUsage = 0,
    kShare = kMaxUsageMeasure + 1,
    kBefore,
    kChange
  };

  struct Row {
    std::vector<std::string> group;
    std::map<int, std::string> numbers;  // by column
  };

  void Add(std::vector<std::string> group, const UsageSum& sum,
           std::optional<Amount> before) {
    rows_.push_back({std::move(group), {}});
    SetCount(kRecords, "records", sum.record_count);
    SetCount(kInconsistent, "inconsistent", sum.inconsistent_record_count);
    SetCount(kUnknownUsage, "unknown_usage", sum.unknown_usage_record_count);
    sum.ForEach([&](v1::UsageMeasure measure, const MeasureSum& total) {
      Set(measure, NameOf(measure), FormatTotal(total, sum.record_count));
    });
    if (answer_.order_by.empty()) return;
    const std::optional<Amount> by = TotalNamed(answer_.order_by, sum);
    Set(kShare, "share",
        FormatPercent(by, TotalNamed(answer_.order_by, answer_.total), false));
    if (!answer_.window_before) return;
    Set(kBefore, "before", before ? before->ToDecimal() : "-");
    Set(kChange, "change", FormatPercent(by, before, true));
  }

  void SetCount(int column, const char* name, std::int64_t count) {
    if (count > 0) Set(column, name, absl::StrCat(count));
  }

  // Sets a cell of the last row, unless `text` is empty.
  void Set(int column, const std::string& name, std::string text) {
    if (text.empty()) return;
    columns_[column] = name;
    rows_.back().numbers[column] = std::move(text);
  }

  const QueryAnswer& answer_;
  const bool has_bucket_;
  std::vector<std::string> heading_;  // of the columns before the numbers
  std::map<int, std::string> columns_ = {{kRecords, "records"}};
  std::vector<Row> rows_;
};

std::string FormatSpan(const ZonedWindow& window) {
  return absl::StrCat("from ", FormatZoned(window.start, window.zone), " to ",
                      FormatZoned(window.end, window.zone));
}

std::string CaptionOf(const QueryAnswer& answer) {
  std::string caption =
      absl::StrCat(FormatSpan(answer.window), ", ", answer.window.zone_name);
  if (!answer.order_by.empty())
    absl::StrAppend(&caption, "; by ", answer.order_by);
  if (answer.window_before) {
    absl::StrAppend(&caption, "; before: ", FormatSpan(*answer.window_before));
  }
  return caption;
}

}  // namespace

QueryTable QueryTableOf(const QueryAnswer& answer) {
  Table table(answer);
  std::int64_t shown = 0;
  for (const QueryRow& row : answer.rows) {
    table.AddRow(row);
    shown += row.sum.record_count;
  }
  if (answer.rows.size() > 1 || shown < answer.total.record_count) {
    table.AddTotal();
  }
  return {CaptionOf(answer), table.Cells(), table.first_number_column()};
}

}  // namespace tokenusage
