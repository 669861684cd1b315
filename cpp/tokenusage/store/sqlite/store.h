// SPDX-License-Identifier: Apache-2.0

// The store on one machine: a SQLite database file.
//
//   absl::StatusOr<std::unique_ptr<UsageStore>> store =
//       OpenSqliteStore("/var/lib/tokenusage/usage.db");
//
// WAL mode, synchronous=FULL: an append is answered after its commit is on
// disk. What is queued is committed as soon as the previous commit ends, and
// never waits for a timer, so that a lone caller waits for one sync and many
// callers share one. Readers use separate connections, and do not block the
// writer until the write-ahead log is large: see log_bytes.

#ifndef TOKENUSAGE_STORE_SQLITE_STORE_H_
#define TOKENUSAGE_STORE_SQLITE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct SqliteStoreOptions {
  // Creates a database if there is none.
  bool create_if_missing = true;

  // The most records of one commit; a batch that is larger is committed alone.
  int max_records_per_commit = 10000;

  // The most that may wait for the writer, in estimated bytes of memory; beyond
  // this, appends are answered with RESOURCE_EXHAUSTED.
  std::int64_t max_queued_bytes = 64 << 20;

  // The write-ahead log: from this size on, new reads wait for those under way,
  // and then it starts over. At four times this size commits wait as well, so
  // it never grows beyond that by more than one commit, unless another process
  // reads, as a backup does.
  std::int64_t log_bytes = 256 << 20;

  // The labels that rollups are kept by, and the limit of series.
  RollupOptions rollups;

  // The most records that may be missing in the rollups by label: queries by
  // label read these one by one.
  std::int64_t max_unfolded = 1'000'000;

  // The number of series that the writer caches, and of label sets, and of
  // projects: 200 bytes each. Beyond it, those used least recently are read
  // again on demand.
  std::size_t max_known_series = 100'000;

  // Called after each commit that reached the disk with the time that it took,
  // from one thread at a time; must not block. May be empty.
  std::function<void(absl::Duration)> on_commit;
};

// Opens the database at `path`, and creates it if there is none. Its folder
// must exist. Beside it SQLite keeps `path`-wal and `path`-shm, and the store
// keeps `path`.lock, which keeps other processes out.
//
// Errors, each naming the path:
//  - FAILED_PRECONDITION: another process has the store open; the file is not a
//    database of tokenusage, or one of another version; it has other rollup
//    labels.
//  - DATA_LOSS: the file is damaged. It is left as it is.
//  - NOT_FOUND: the folder is missing, or the database is missing and
//    create_if_missing is false.
//  - PERMISSION_DENIED: the folder or a file may not be read and written.
//  - UNAVAILABLE: the disk failed or is full.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenSqliteStore(
    const std::string& path, const SqliteStoreOptions& options = {});

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_STORE_H_
