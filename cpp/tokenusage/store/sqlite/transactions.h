// SPDX-License-Identifier: Apache-2.0

// Runs the transactions of maintenance: through the writer of the store that
// has the database open, or on a connection of its own, while another process
// may have the database open.
//
//   TOKENUSAGE_RETURN_IF_ERROR(
//       transactions->Write([&](SqliteDatabase* database) {
//         return DeleteSome(database);
//       }));

#ifndef TOKENUSAGE_STORE_SQLITE_TRANSACTIONS_H_
#define TOKENUSAGE_STORE_SQLITE_TRANSACTIONS_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

class SqliteTransactions {
 public:
  virtual ~SqliteTransactions() = default;

  using Work = std::function<absl::Status(SqliteDatabase*)>;

  // Do the work in a transaction that reads one snapshot, or in one that
  // writes, which is durable if this returns OK, and rolled back otherwise.
  virtual absl::Status Read(const CallLimits& limits, const Work& work) = 0;
  virtual absl::Status Write(const Work& work) = 0;

  // Waits after a Write that took `write_time`, to leave appends time before
  // the next one.
  virtual void Pause(absl::Duration write_time) = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TRANSACTIONS_H_
