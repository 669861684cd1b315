// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/row_aggregator.h"

#include <algorithm>
#include <iterator>

namespace tokenusage {

RowAggregator::RowAggregator(const UsageQuery& query)
    : query_(query),
      max_rows_(static_cast<std::size_t>(query.page_size) + 1),
      start_nanos_(query.window.start_nanos),
      end_nanos_(query.window.end_nanos),
      buckets_(query.bucket, query.time_zone, query.window) {
  if (query.after) {
    start_nanos_ = std::max(start_nanos_, query.after->bucket_start_nanos);
  }
}

UsageSum* RowAggregator::SumOf(std::int64_t nanos, const EncodedGroup& group) {
  if (nanos < start_nanos_ || nanos >= end_nanos_) return nullptr;
  const TimeWindow bucket = buckets_.Containing(nanos);
  const PositionView position(bucket.start_nanos, group.encoded);
  if (query_.after && position <= PositionView(query_.after->bucket_start_nanos,
                                               query_.after->encoded_key)) {
    return nullptr;
  }
  auto row = rows_.lower_bound(position);
  if (row == rows_.end() || Less()(position, row->first)) {
    if (row == rows_.end() && rows_.size() == max_rows_) return nullptr;
    row = rows_.emplace_hint(row, Position(position),
                             UsageQueryRow{bucket, group.key, UsageSum()});
    DropRowsBeyondPage();
  }
  return &row->second.sum;
}

void RowAggregator::DropRowsBeyondPage() {
  if (rows_.size() > max_rows_) rows_.erase(std::prev(rows_.end()));
  if (rows_.size() == max_rows_) {
    end_nanos_ = std::prev(rows_.end())->second.bucket.end_nanos;
  }
}

UsageQueryPage RowAggregator::Finish() {
  UsageQueryPage page;
  page.has_more = rows_.size() == max_rows_;
  if (page.has_more) rows_.erase(std::prev(rows_.end()));
  page.rows.reserve(rows_.size());
  for (auto& entry : rows_) page.rows.push_back(std::move(entry.second));
  return page;
}

}  // namespace tokenusage
