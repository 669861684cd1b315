// SPDX-License-Identifier: Apache-2.0

// Queries to a UsageStore, and their answers.
//
//   UsageQuery query;
//   query.projects = {"my-project"};
//   query.window = {start_nanos, end_nanos};
//   absl::StatusOr<UsageQueryPage> page = store->Query(query);

#ifndef TOKENUSAGE_STORE_USAGE_QUERY_H_
#define TOKENUSAGE_STORE_USAGE_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// A half-open span of time, [start, end), in nanoseconds since
// 1970-01-01T00:00:00Z. start < end.
struct TimeWindow {
  std::int64_t start_nanos = 0;
  std::int64_t end_nanos = 0;
};

// The limits at which a call to a store ends without a result.
struct CallLimits {
  absl::Time deadline = absl::InfiniteFuture();

  // Returns whether the caller disconnected. Called now and then, from the
  // thread that does the work, until the call is answered; empty means never.
  std::function<bool()> is_cancelled;
};

// A field that rows are grouped or filtered by.
struct UsageField {
  enum class Kind { kProject, kOperation, kProvider, kModel, kLabel };

  Kind kind = Kind::kOperation;
  std::string label_key;  // for kLabel only
};

// Passes records whose field, which is not kProject, has one of `values` and,
// if match_missing is set, records without such a label.
struct UsageFieldFilter {
  UsageField field;
  std::vector<std::string> values;
  bool match_missing = false;
};

// A group's values, one per field of group_by: nullopt for a label that the
// records do not have.
using GroupKey = std::vector<std::optional<std::string>>;

// Returns the bytes by which rows of one bucket are ordered, and by which a
// page token remembers a row: per value 0x00 if it is missing, otherwise 0x01,
// the value and 0x00. Values hold no control characters, so the order is that
// of the values.
std::string EncodeGroupKey(const GroupKey& key);

// Appends one value to an encoded group key.
void AppendGroupValue(std::optional<std::string_view> value, std::string* key);

// Returns the group key that EncodeGroupKey encoded.
GroupKey DecodeGroupKey(std::string_view encoded);

// The most rows that a query with an order may have, on all of its pages: they
// are held in memory, a few hundred bytes each.
inline constexpr std::size_t kMaxOrderedRows = 100'000;

// Orders the rows of a query by one of their totals, largest first.
struct RowOrder {
  // USAGE_MEASURE_UNSPECIFIED: the number of records.
  v1::UsageMeasure measure = v1::USAGE_MEASURE_UNSPECIFIED;

  // Returns the value that a row with this sum is ordered by; empty if no
  // record of the row states the measure. Such rows come last.
  std::optional<Amount> RankOf(const UsageSum& sum) const;
};

// The position at which a page starts: after the row with this bucket start and
// encoded group key. If the query has an order, the row's rank comes first.
struct RowPosition {
  std::int64_t bucket_start_nanos = 0;
  std::string encoded_key;
  std::optional<Amount> rank = std::nullopt;
};

// A query for totals. The service has checked every part of it.
struct UsageQuery {
  std::vector<std::string> projects;  // each once; unknown ones have no rows
  TimeWindow window;
  v1::TimeBucket bucket = v1::TIME_BUCKET_NONE;
  absl::TimeZone time_zone = absl::UTCTimeZone();
  std::vector<UsageField> group_by;       // at most 4
  std::vector<UsageFieldFilter> filters;  // at most one on each field
  std::optional<RowOrder> order;          // empty: by bucket and group
  int page_size = 1000;                   // at least 1
  std::optional<RowPosition> after;       // empty: from the first row
  CallLimits limits;
};

// The total of one group in one bucket.
struct UsageQueryRow {
  TimeWindow bucket;  // cut to the query's window
  GroupKey key;
  UsageSum sum;
};

struct UsageQueryPage {
  // By the query's order, then by bucket, then by encoded group key.
  std::vector<UsageQueryRow> rows;
  bool has_more = false;
};

// Returns the position at which the page after this row starts.
RowPosition PositionOf(const UsageQuery& query, const UsageQueryRow& row);

// The position at which a page of records starts: after this one.
struct RecordPosition {
  std::int64_t event_time_nanos = 0;
  std::string record_id;
};

// A query for records.
struct RecordQuery {
  std::string project;
  TimeWindow window;
  int page_size = 1000;            // at least 1
  bool inconsistent_only = false;  // only records that contradict themselves
  std::vector<UsageFieldFilter> filters;  // at most one on each field
  // The most bytes of a page's records, serialized. A page holds at least one
  // record, even if that is larger.
  std::int64_t max_page_bytes = 3 << 20;
  std::optional<RecordPosition> after;  // empty: from the first record
  CallLimits limits;
};

struct RecordPage {
  // By event_time, then by the bytes of record_id.
  std::vector<v1::UsageRecord> records;
  bool has_more = false;
};

// A project that has, or had, records.
struct StoredProject {
  std::string name;

  // See ProjectRetention.
  absl::Time horizon = absl::InfinitePast();
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_USAGE_QUERY_H_
