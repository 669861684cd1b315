// SPDX-License-Identifier: Apache-2.0

// A PostgreSQL database to which another one is copied, beside its store.

#ifndef TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_
#define TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/rollups.h"

namespace tokenusage {

// One thread at a time.
class PostgresDestination {
 public:
  // Errors: those of OpenPostgresStore.
  static absl::StatusOr<std::unique_ptr<PostgresDestination>> Open(
      const std::string& url);

  // How far copying from `source` has come; 0 where it was not begun.
  absl::StatusOr<std::int64_t> Bookmark(const std::string& source);
  absl::Status SetBookmark(const std::string& source, std::int64_t value);

  // Puts cells in the place of those that are there, in one transaction, and
  // adds their series.
  absl::Status SetCells(const std::string& project,
                        const std::map<PostgresCells::Key, UsageSum>& cells);

 private:
  explicit PostgresDestination(std::unique_ptr<PostgresConnection> connection)
      : connection_(std::move(connection)) {}

  std::unique_ptr<PostgresConnection> connection_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_
