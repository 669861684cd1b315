// SPDX-License-Identifier: Apache-2.0

// Encodes record ids for SQLite.
//
// A UUID in its canonical lower-case representation, the recommended record id,
// takes 16 bytes as a BLOB instead of 36 as TEXT: its index is half as large.
// Any other id is TEXT. Both directions are exact, and BLOBs order as their
// texts do; but in SQLite every TEXT is less than any BLOB.

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_RECORD_KEY_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_RECORD_KEY_H_

#include <optional>
#include <string>
#include <string_view>

#include "tokenusage/store/sqlite/connection/database.h"

namespace tokenusage {

struct RecordKey {
  bool is_blob = false;
  std::string bytes;
};

RecordKey ToRecordKey(std::string_view record_id);

std::string RecordIdOf(const RecordKey& key);

// Returns the key as a parameter, which is valid as long as the key.
SqliteValue ValueOf(const RecordKey& key);

// Return the key, and the record id, in a column.
RecordKey RecordKeyAt(const SqliteRows& row, int column);
std::string RecordIdAt(const SqliteRows& row, int column);

// Returns the least BLOB whose text is greater than `record_id`; empty if there
// is none.
std::optional<std::string> FirstBlobAfter(std::string_view record_id);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_RECORD_KEY_H_
