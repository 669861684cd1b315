// SPDX-License-Identifier: Apache-2.0

// What operators do with the database: see UsageStore.

#ifndef TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_
#define TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/pool.h"
#include "tokenusage/store/postgres/target.h"
#include "tokenusage/store/store_maintenance.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Thread-safe. Projects are taken one by one, each in transactions of its own,
// so that on Citus each stays on one node.
class PostgresCare {
 public:
  explicit PostgresCare(const PostgresTarget& target) : pool_(target, 2) {}

  absl::StatusOr<absl::Time> Horizon();
  absl::StatusOr<absl::Time> NewestRecordTime();
  absl::StatusOr<Removal> RemoveRecordsBefore(absl::Time horizon,
                                              const CallLimits& limits);
  absl::StatusOr<CheckReport> Check(const CheckOptions& options);
  absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits);

  // In one transaction: appends to the project wait until it ends.
  absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                        const CallLimits& limits);

 private:
  // By name.
  absl::StatusOr<std::vector<std::string>> Projects(const CallLimits& limits);

  PostgresPool pool_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_
