// SPDX-License-Identifier: Apache-2.0

// Reads records from the database, by time or by id.

#ifndef TOKENUSAGE_STORE_SQLITE_LIST_H_
#define TOKENUSAGE_STORE_SQLITE_LIST_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Reads a record, as UsageStore::GetRecord returns it, from two columns: record
// and corrected_by. `path` is that of the database.
absl::Status ReadRecord(const SqliteRows& row, int first_column,
                        const std::string& path, v1::UsageRecord* record);

// See UsageStore::ListRecords and UsageStore::GetRecord. The caller has begun a
// transaction.
absl::StatusOr<RecordPage> ListUsageRecords(SqliteDatabase* database,
                                            const RecordQuery& query);
absl::StatusOr<v1::UsageRecord> GetUsageRecord(SqliteDatabase* database,
                                               std::string_view project,
                                               std::string_view record_id);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_LIST_H_
