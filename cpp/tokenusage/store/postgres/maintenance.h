// SPDX-License-Identifier: Apache-2.0

// Maintenance of a PostgreSQL database: see StoreMaintenance.

#ifndef TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_
#define TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/connection/pool.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Works project by project, each in separate transactions, so that on Citus
// each stays on one node.
class PostgresMaintenance : public StoreMaintenance {
 public:
  explicit PostgresMaintenance(const PostgresTarget& target)
      : pool_(target, 2) {}

  absl::StatusOr<std::vector<ProjectRetention>> Retention() override;
  absl::Status SetRetention(std::string_view project,
                            absl::Duration retain) override;
  absl::StatusOr<Removal> RemoveRecordsBefore(
      std::string_view project, absl::Time horizon,
      const CallLimits& limits) override;
  absl::StatusOr<CheckReport> Check(const CheckOptions& options) override;
  absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteRecords(const RecordSelection& selection,
                                        bool dry_run,
                                        const CallLimits& limits) override;
  absl::StatusOr<std::vector<Deletion>> Deletions() override;
  absl::StatusOr<Rebuild> SetRollupLabels(const RollupLabels& labels,
                                          const CallLimits& limits) override;

  // Deletes the project in one transaction: appends to it wait until that ends.
  absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                        const CallLimits& limits) override;

 private:
  // Does the work for each project, in the order of names.
  absl::Status ForEachProject(
      const CallLimits& limits,
      const std::function<absl::Status(PostgresConnection* connection,
                                       const std::string& project)>& work);

  absl::StatusOr<Rebuild> RebuildAll(
      const std::optional<RollupLabels>& new_labels, const CallLimits& limits);

  PostgresPool pool_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_MAINTENANCE_H_
