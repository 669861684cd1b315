// SPDX-License-Identifier: Apache-2.0

// Sums parts, which are records or rollups, into the rows of one page of a
// query.
//
//   RowAggregator rows(query);
//   if (UsageSum* const sum = rows.SumOf(event_time_nanos, encoded_group)) {
//     sum->Add(CountRecord(record));
//   }
//   return rows.Finish();

#ifndef TOKENUSAGE_STORE_QUERY_ROW_AGGREGATOR_H_
#define TOKENUSAGE_STORE_QUERY_ROW_AGGREGATOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/query/time_buckets.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Takes parts in any order. Not thread-safe.
//
// By bucket and group, it keeps the first page_size rows after `query.after`,
// and one more to know whether there is another page. A row that falls off the
// end can never return, since rows are only ever added before it; so what is
// kept is complete and memory is bounded.
//
// If the query has an order, it keeps all rows until the end: any of them may
// still become the largest.
class RowAggregator {
 public:
  // `query` must outlive this.
  explicit RowAggregator(const UsageQuery& query);

  // Return the span, [start, end), in which parts can change the page; the rest
  // need not be read. The end moves back as the page fills.
  std::int64_t start_nanos() const { return start_nanos_; }
  std::int64_t end_nanos() const { return end_nanos_; }

  // Returns whether SumOf would return a sum.
  bool Wants(std::int64_t nanos, std::string_view group);

  // Returns the sum of the row of `group`, an encoded key, in the bucket of
  // `nanos`, to be added to at once; null if the row is not on the page. Valid
  // until the next call.
  UsageSum* SumOf(std::int64_t nanos, std::string_view group);

  // Returns the page. Call once, last. OUT_OF_RANGE if there are more than
  // kMaxOrderedRows rows to order.
  absl::StatusOr<UsageQueryPage> Finish();

 private:
  // Bucket start and encoded group.
  using Position = std::pair<std::int64_t, std::string>;
  using PositionView = std::pair<std::int64_t, std::string_view>;
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return PositionView(a.first, a.second) < PositionView(b.first, b.second);
    }
  };
  struct Row {
    std::int64_t bucket_end_nanos;
    UsageSum sum;
  };
  using Rows = std::map<Position, Row, Less>;

  // Returns whether a row at this position is on the page, as far as is known.
  bool IsOnPage(const PositionView& position) const;
  // Drops a row beyond the page, and moves the end back to what still matters.
  void DropRowsBeyondPage();
  absl::StatusOr<UsageQueryPage> FinishInOrder();
  // Returns whether `query.after` comes before a row with this rank and
  // position.
  bool IsAfter(const std::optional<Amount>& rank,
               const Position& position) const;

  const UsageQuery& query_;
  const std::size_t max_rows_;
  std::int64_t start_nanos_;
  std::int64_t end_nanos_;
  TimeBuckets buckets_;
  Rows rows_;
  Rows::iterator last_;  // the row of the last call, often that of the next
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_ROW_AGGREGATOR_H_
