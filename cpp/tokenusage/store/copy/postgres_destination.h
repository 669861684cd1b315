// SPDX-License-Identifier: Apache-2.0

// Writes to a PostgreSQL database that is the destination of a copy, bypassing
// its store.

#ifndef TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_
#define TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// One thread at a time.
class PostgresDestination {
 public:
  // `labels` are those of the source.
  //
  // Errors: those of OpenPostgresStore.
  static absl::StatusOr<std::unique_ptr<PostgresDestination>> Open(
      const std::string& url, const RollupLabels& labels);

  // Returns the row_id of the last record that was copied from `source`; 0 if
  // there is none.
  absl::StatusOr<std::int64_t> Bookmark(const std::string& source);
  absl::Status SetBookmark(const std::string& source, std::int64_t value);

  absl::Status AddDeletion(const Deletion& deletion);

  // Replaces rollups of one family, in one transaction. Adds the project and
  // the rollups' series if they are missing.
  absl::Status SetRollups(const std::string& project,
                          postgres_sql::Family family, const Rollups& rollups);

  // Sets the time since which a project has rollups by label, in seconds; 0 if
  // there is none.
  absl::Status SetLabelsFrom(const std::string& project, std::int64_t seconds);

  // See ForEachPostgresRollup.
  absl::Status ForEachRollup(
      const std::string& project, postgres_sql::Family family,
      std::int64_t cell_seconds, CellRange range,
      const std::function<absl::StatusOr<bool>(const RollupKey& key,
                                               const UsageSum& sum)>& each) {
    return ForEachPostgresRollup(connection_.get(), project, family,
                                 cell_seconds, range, CallLimits(), each);
  }

 private:
  PostgresDestination(std::unique_ptr<PostgresConnection> connection,
                      RollupLabels labels)
      : connection_(std::move(connection)), labels_(std::move(labels)) {}

  std::unique_ptr<PostgresConnection> connection_;
  const RollupLabels labels_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_POSTGRES_DESTINATION_H_
