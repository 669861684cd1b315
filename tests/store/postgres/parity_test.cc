// SPDX-License-Identifier: Apache-2.0

// PostgreSQL against SQLite: the same random history and questions, the same
// answers byte for byte.

#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "gtest/gtest.h"
#include "tests/store/model/random_usage.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"

namespace tokenusage::testing {
namespace {

// Returns every digit of a page.
std::string TextOf(const absl::StatusOr<UsageQueryPage>& page) {
  if (!page.ok()) return page.status().ToString();
  std::string text = page->has_more ? "more\n" : "end\n";
  for (const UsageQueryRow& row : page->rows) {
    text += RowText(row) + " " + SumText(row.sum) + "\n";
  }
  return text;
}

std::string BytesOf(const v1::UsageRecord& record) {
  std::string bytes;
  ::google::protobuf::io::StringOutputStream stream(&bytes);
  ::google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(record.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

std::vector<std::string> BytesOf(const absl::StatusOr<RecordPage>& page) {
  if (!page.ok()) return {page.status().ToString()};
  std::vector<std::string> all = {page->has_more ? "more" : "end"};
  for (const v1::UsageRecord& record : page->records) {
    all.push_back(BytesOf(record));
  }
  return all;
}

void CompareWithSqlite(const RollupOptions& options) {
  RandomUsage random;
  const std::unique_ptr<UsageStore> sqlite = NewFoldingSqliteStore(options);
  const std::unique_ptr<UsageStore> postgres = NewPostgresStore(options);
  for (int round = 0; round < 40; ++round) {
    const std::vector<v1::UsageRecord> batch = random.Batch();
    ASSERT_EQ(sqlite->Append("p", CheckedOf(batch)).value(),
              postgres->Append("p", CheckedOf(batch)).value());
    for (int i = 0; i < 12; ++i) {
      UsageQuery query = random.Query();
      for (;;) {
        const auto page = sqlite->Query(query);
        ASSERT_EQ(TextOf(page), TextOf(postgres->Query(query)));
        if (!page.ok() || !page->has_more) break;
        query.after = PositionOf(query, page->rows.back());
      }
    }
    RecordQuery list;
    list.project = "p";
    list.window = random.Window();
    list.page_size = static_cast<int>(1 + random.Below(50));
    list.max_page_bytes = 1 + random.Below(20000);
    list.inconsistent_only = random.Below(2) == 0;
    if (random.Below(2) == 0) list.filters = random.Filters();
    ASSERT_EQ(AllIds(sqlite.get(), list), AllIds(postgres.get(), list));
    ASSERT_EQ(BytesOf(sqlite->ListRecords(list)),
              BytesOf(postgres->ListRecords(list)));
    const std::string& id = batch.front().record_id();
    const auto expected = sqlite->GetRecord("p", id);
    const auto found = postgres->GetRecord("p", id);
    ASSERT_EQ(expected.status().code(), found.status().code());
    if (expected.ok()) {
      ASSERT_EQ(BytesOf(*expected), BytesOf(*found));
    }
  }
}

TEST(PostgresParityTest, AnswersAsSqliteByteForByte) { CompareWithSqlite({}); }

TEST(PostgresParityTest, AnswersByLabelAsSqliteByteForByte) {
  CompareWithSqlite({RollupLabels{"team"}});
}

}  // namespace
}  // namespace tokenusage::testing
