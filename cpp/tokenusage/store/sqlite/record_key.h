// SPDX-License-Identifier: Apache-2.0

// Record ids as SQLite holds them.
//
// A UUID in its canonical lower-case form, which is what is advised, takes 16
// bytes as a BLOB and not 36 as TEXT: an index of them is half as big. Any
// other id is TEXT. Both directions are exact, and BLOBs order as their texts
// do; but to SQLite every TEXT is less than any BLOB.

#ifndef TOKENUSAGE_STORE_SQLITE_RECORD_KEY_H_
#define TOKENUSAGE_STORE_SQLITE_RECORD_KEY_H_

#include <optional>
#include <string>
#include <string_view>

namespace tokenusage {

struct RecordKey {
  bool is_blob = false;
  std::string bytes;
};

RecordKey ToRecordKey(std::string_view record_id);

std::string RecordIdOf(const RecordKey& key);

// The least BLOB whose text is greater than `record_id`; empty where there is
// none.
std::optional<std::string> FirstBlobAfter(std::string_view record_id);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_RECORD_KEY_H_
