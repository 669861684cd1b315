// SPDX-License-Identifier: Apache-2.0

// Queries to a UsageStore, and their answers.
//
//   UsageQuery query;
//   query.project = "my-project";
//   query.window = {start_nanos, end_nanos};
//   absl::StatusOr<UsageQueryPage> page = store->Query(query);

#ifndef TOKENUSAGE_STORE_USAGE_QUERY_H_
#define TOKENUSAGE_STORE_USAGE_QUERY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
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

// When a call to a store ends without its answer.
struct CallLimits {
  absl::Time deadline = absl::InfiniteFuture();

  // Returns whether the caller disconnected. Called now and then, from the
  // thread that does the work, until the call is answered; empty means never.
  std::function<bool()> is_cancelled;
};

// A field that rows are grouped or filtered by.
struct UsageField {
  enum class Kind { kOperation, kProvider, kModel, kLabel };

  Kind kind = Kind::kOperation;
  std::string label_key;  // for kLabel only
};

// Passes records whose field has one of `values` and, if match_missing is set,
// records without such a label.
struct UsageFieldFilter {
  UsageField field;
  std::vector<std::string> values;
  bool match_missing = false;
};

// A group's values, one per field of group_by; empty if the records have no
// such label.
using GroupKey = std::vector<std::optional<std::string>>;

// Returns the bytes by which rows of one bucket are ordered, and by which a
// page token remembers a row: per value 0x00 if it is missing, else 0x01, the
// value and 0x00. Values hold no control characters, so the order is the
// values' own.
std::string EncodeGroupKey(const GroupKey& key);

// Where a page starts: after the row with this bucket start and encoded group
// key.
struct RowPosition {
  std::int64_t bucket_start_nanos = 0;
  std::string encoded_key;
};

// A query for totals. The service has checked every part of it.
struct UsageQuery {
  std::string project;
  TimeWindow window;
  v1::TimeBucket bucket = v1::TIME_BUCKET_NONE;
  absl::TimeZone time_zone = absl::UTCTimeZone();
  std::vector<UsageField> group_by;       // at most 4
  std::vector<UsageFieldFilter> filters;  // at most one on each field
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
  std::vector<UsageQueryRow> rows;  // by bucket, then by encoded group key
  bool has_more = false;
};

// Where a page of records starts: after this one.
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
  // A page ends before its records, serialized, exceed this together; it holds
  // at least one record all the same.
  std::int64_t max_page_bytes = 3 << 20;
  std::optional<RecordPosition> after;  // empty: from the first record
  CallLimits limits;
};

struct RecordPage {
  // By event_time, then by the bytes of record_id.
  std::vector<v1::UsageRecord> records;
  bool has_more = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_USAGE_QUERY_H_
