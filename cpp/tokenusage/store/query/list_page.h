// SPDX-License-Identifier: Apache-2.0

// Fills a page of records up to its limits.
//
//   ListPage page(query);
//   while (v1::UsageRecord* const next = page.Add(bytes.size())) {
//     TOKENUSAGE_RETURN_IF_ERROR(ReadStoredRecord(database, bytes, next));
//     ...
//   }
//   return page.Finish();

#ifndef TOKENUSAGE_STORE_QUERY_LIST_PAGE_H_
#define TOKENUSAGE_STORE_QUERY_LIST_PAGE_H_

#include <cstddef>
#include <utility>

#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Not thread-safe.
class ListPage {
 public:
  // `query` must outlive this.
  explicit ListPage(const RecordQuery& query) : query_(query) {}

  // Returns where to put a record of this many bytes, serialized; null if the
  // page is full without it. Valid until the next call.
  v1::UsageRecord* Add(std::size_t bytes) {
    bytes_ += bytes;
    const std::size_t size = page_.records.size();
    page_.has_more =
        size > 0 && (size == static_cast<std::size_t>(query_.page_size) ||
                     bytes_ > static_cast<std::size_t>(query_.max_page_bytes));
    return page_.has_more ? nullptr : &page_.records.emplace_back();
  }

  // Returns whether a record was refused.
  bool is_full() const { return page_.has_more; }

  // Returns the page. Call once, last.
  RecordPage Finish() { return std::move(page_); }

 private:
  const RecordQuery& query_;
  std::size_t bytes_ = 0;
  RecordPage page_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_LIST_PAGE_H_
