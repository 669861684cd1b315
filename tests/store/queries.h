// SPDX-License-Identifier: Apache-2.0

// Queries to stores, and their answers as text.

#ifndef TOKENUSAGE_TESTS_STORE_QUERIES_H_
#define TOKENUSAGE_TESTS_STORE_QUERIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/store/usage_query.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Returns a query of project "p" for a window in RFC 3339.
UsageQuery QueryOf(std::string_view start, std::string_view end,
                   v1::TimeBucket bucket = v1::TIME_BUCKET_NONE,
                   const std::string& time_zone = "UTC");

// Does the same for records.
RecordQuery RecordQueryOf(std::string_view start, std::string_view end);

UsageField LabelField(std::string key);

// Returns a record of `tokens` input tokens, which are also its total.
v1::UsageRecord RecordAt(std::string_view id, std::string_view time,
                         double tokens);

// Returns a sum as text, such as "3 records, 1 inconsistent, 1 unknown;
// input_tokens 8105.75 of 2, images 1 of 1".
std::string SumText(const UsageSum& sum);

// Returns a row as text: "start/end [group] count total".
std::string RowText(const UsageQueryRow& row);
std::vector<std::string> RowTexts(const UsageQueryPage& page);

// Returns all rows of a query as text, read page by page; or only an error's
// text.
std::vector<std::string> AllRowTexts(UsageStore* store, UsageQuery query);

// Returns the ids of all records, read page by page; or only an error's text.
std::vector<std::string> AllIds(UsageStore* store, RecordQuery query);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_STORE_QUERIES_H_
