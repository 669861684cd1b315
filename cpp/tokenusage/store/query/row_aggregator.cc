// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/row_aggregator.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tokenusage {
namespace {

// Moves a row of the aggregator into the page.
template <typename Entry>
void AddToPage(Entry* entry, UsageQueryPage* page) {
  auto& [position, row] = *entry;
  page->rows.push_back({{position.first, row.bucket_end_nanos},
                        DecodeGroupKey(position.second),
                        std::move(row.sum)});
}

}  // namespace

RowAggregator::RowAggregator(const UsageQuery& query)
    : query_(query),
      max_rows_((query.order ? kMaxOrderedRows
                             : static_cast<std::size_t>(query.page_size)) +
                1),
      start_nanos_(query.window.start_nanos),
      end_nanos_(query.window.end_nanos),
      buckets_(query.bucket, query.time_zone, query.window),
      last_(rows_.end()) {
  if (query.after && !query.order) {
    start_nanos_ = std::max(start_nanos_, query.after->bucket_start_nanos);
  }
}

bool RowAggregator::Wants(std::int64_t nanos, std::string_view group) {
  return nanos >= start_nanos_ && nanos < end_nanos_ &&
         IsOnPage({buckets_.Containing(nanos).start_nanos, group});
}

UsageSum* RowAggregator::SumOf(std::int64_t nanos, std::string_view group) {
  if (nanos < start_nanos_ || nanos >= end_nanos_) return nullptr;
  const TimeWindow bucket = buckets_.Containing(nanos);
  const PositionView position(bucket.start_nanos, group);
  if (last_ != rows_.end() && PositionView(last_->first) == position) {
    return &last_->second.sum;
  }
  if (!IsOnPage(position)) return nullptr;
  auto row = rows_.lower_bound(position);
  if (row == rows_.end() || Less()(position, row->first)) {
    row = rows_.emplace_hint(row, Position(position),
                             Row{bucket.end_nanos, UsageSum()});
    DropRowsBeyondPage();
  }
  last_ = row;
  return &row->second.sum;
}

bool RowAggregator::IsOnPage(const PositionView& position) const {
  if (query_.after && !query_.order &&
      position <= PositionView(query_.after->bucket_start_nanos,
                               query_.after->encoded_key)) {
    return false;
  }
  return rows_.size() < max_rows_ || !Less()(rows_.rbegin()->first, position);
}

void RowAggregator::DropRowsBeyondPage() {
  if (rows_.size() > max_rows_) rows_.erase(std::prev(rows_.end()));
  if (rows_.size() < max_rows_) return;
  // Too many rows to order are an error, whatever else there is.
  end_nanos_ = query_.order ? start_nanos_
                            : std::prev(rows_.end())->second.bucket_end_nanos;
}

absl::StatusOr<UsageQueryPage> RowAggregator::Finish() {
  if (query_.order) return FinishInOrder();
  UsageQueryPage page;
  page.has_more = rows_.size() == max_rows_;
  if (page.has_more) rows_.erase(std::prev(rows_.end()));
  page.rows.reserve(rows_.size());
  for (auto& entry : rows_) AddToPage(&entry, &page);
  return page;
}

absl::StatusOr<UsageQueryPage> RowAggregator::FinishInOrder() {
  if (rows_.size() == max_rows_) {
    return absl::OutOfRangeError(absl::StrCat(
        "there are more than ", kMaxOrderedRows, " rows to order"));
  }
  struct Ranked {
    std::optional<Amount> rank;
    Rows::value_type* row;
  };
  std::vector<Ranked> ranked;
  for (auto& entry : rows_) {
    const std::optional<Amount> rank = query_.order->RankOf(entry.second.sum);
    if (IsAfter(rank, entry.first)) ranked.push_back({rank, &entry});
  }
  UsageQueryPage page;
  const auto page_size = static_cast<std::size_t>(query_.page_size);
  page.has_more = ranked.size() > page_size;
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(
                                        std::min(page_size, ranked.size()));
  std::partial_sort(
      ranked.begin(), end, ranked.end(), [](const Ranked& a, const Ranked& b) {
        // An empty rank is less than all others.
        return a.rank != b.rank ? b.rank < a.rank : a.row->first < b.row->first;
      });
  for (auto next = ranked.begin(); next != end; ++next) {
    AddToPage(next->row, &page);
  }
  return page;
}

bool RowAggregator::IsAfter(const std::optional<Amount>& rank,
                            const Position& position) const {
  if (!query_.after) return true;
  if (rank != query_.after->rank) return rank < query_.after->rank;
  return PositionView(query_.after->bucket_start_nanos,
                      query_.after->encoded_key) <
         PositionView(position.first, position.second);
}

}  // namespace tokenusage
