// SPDX-License-Identifier: Apache-2.0

#include "tests/client/support/stored_ids.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/proto_time.h"

namespace tokenusage::testing {

std::set<std::string> StoredIds(UsageStore* store) {
  std::set<std::string> ids;
  RecordQuery query;
  query.project = "demo";
  query.window = {0, INT64_MAX};
  while (true) {
    const auto page = store->ListRecords(query);
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) return ids;
    for (const v1::UsageRecord& record : page->records) {
      EXPECT_TRUE(ids.insert(record.record_id()).second) << record.record_id();
    }
    if (!page->has_more) return ids;
    const v1::UsageRecord& last = page->records.back();
    query.after = {NanosFromTimestamp(last.event_time()), last.record_id()};
  }
}

}  // namespace tokenusage::testing
