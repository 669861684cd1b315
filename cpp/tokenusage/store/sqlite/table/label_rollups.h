// SPDX-License-Identifier: Apache-2.0

// Maintains the rollups by label.
//
// With many customers, nearly every record of a batch would change another
// rollup. So appends only add to sums in memory, and from time to time these
// are folded into the rollups: many records at once, in the order of the key,
// with one write for each rollup. The rollups hold the records up to a row_id;
// queries add the later records.
//
//   TOKENUSAGE_RETURN_IF_ERROR(rollups.Load(database));
//   TOKENUSAGE_RETURN_IF_ERROR(rollups.Fold(database, CallLimits()));

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_LABEL_ROLLUPS_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_LABEL_ROLLUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/lru_cache.h"
#include "tokenusage/store/rollup_options.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/table/rollups.h"

namespace tokenusage {

// The state of a database's rollups by label.
struct SqliteLabelState {
  RollupLabels labels;     // none: it keeps no rollups by label
  std::int64_t until = 0;  // the row_id of the last record that they hold
};
absl::StatusOr<SqliteLabelState> ReadLabelState(SqliteDatabase* database);

// Sets the keys of a database without projects.
absl::Status WriteRollupLabels(SqliteDatabase* database,
                               const RollupLabels& labels);

// The place of a stored record.
struct SqliteStoredRecord {
  std::int64_t row_id = 0;
  std::int64_t project_id = 0;
  std::int64_t series_id = 0;
  std::int64_t event_time_nanos = 0;
};

// Writes the rollups by label, within the caller's transactions. After an error
// or a rollback, the object must be discarded. One thread at a time.
class SqliteLabelRollups {
 public:
  // `max_known` is the number of label sets that it caches.
  explicit SqliteLabelRollups(std::size_t max_known) : ids_(max_known) {}

  // Reads the state, and forgets everything else. Must be called first, and
  // when something else may have changed records, projects or the state.
  absl::Status Load(SqliteDatabase* database);

  const RollupLabels& labels() const { return state_.labels; }

  // Returns the id of a record's label set; 0 if the project does not have it.
  absl::StatusOr<std::int64_t> Find(SqliteDatabase* database,
                                    std::int64_t project_id,
                                    const std::string& label_set);
  // Inserts a label set that the project does not have, and returns its id.
  absl::StatusOr<std::int64_t> Insert(SqliteDatabase* database,
                                      std::int64_t project_id,
                                      const std::string& label_set);

  // Returns the approximate number of records that the rollups do not hold yet.
  std::int64_t unfolded() const {
    return labels().empty() ? 0 : last_row_id_ - state_.until;
  }

  // Returns whether the sums in memory have reached their maximum number.
  bool IsFull() const;

  // Must be called for each record that is inserted.
  void OnInsert(std::int64_t row_id);

  // Adds the record to the sums. Must be called after OnInsert if the record
  // counts.
  void Add(const SqliteStoredRecord& stored, std::int64_t label_set_id,
           const UsageCounts& counts);

  // Subtracts a record that no longer counts. The caller must also delete the
  // record or mark it as corrected: otherwise Fold could add it again.
  absl::Status Subtract(SqliteDatabase* database,
                        const SqliteStoredRecord& stored,
                        const v1::UsageRecord& record,
                        const UsageCounts& counts);

  // Writes what was subtracted.
  absl::Status Flush(SqliteDatabase* database);

  // Adds the records that the rollups do not hold yet.
  absl::Status Fold(SqliteDatabase* database, const CallLimits& limits);

  // Rebuilds the rollups from the horizons on.
  absl::Status Rebuild(SqliteDatabase* database, const CallLimits& limits);

  // Changes the keys, and builds the rollups. See
  // StoreMaintenance::SetRollupLabels.
  absl::Status SetLabels(SqliteDatabase* database, const RollupLabels& labels,
                         const CallLimits& limits);

 private:
  // Collects the records that neither the rollups nor memory hold.
  absl::Status ReadUnfolded(SqliteDatabase* database, const CallLimits& limits);
  // Adds the sums to the rollups.
  absl::Status Write(SqliteSums* quarter_hours, SqliteDatabase* database);
  // Removes a project's rollups from its horizon (seconds) on. The month of the
  // horizon keeps the sum of its quarter hours before the horizon.
  absl::Status RemoveFrom(SqliteDatabase* database, std::int64_t project_id,
                          std::int64_t horizon);
  absl::Status WriteUntil(SqliteDatabase* database);

  SqliteLabelState state_;
  bool until_changed_ = false;
  std::int64_t last_row_id_ = 0;      // of the database
  LruCache<std::int64_t> ids_;        // by project_id and label set
  SqliteSums subtracted_;             // from the rollups, but not written yet
  SqliteSums unfolded_;               // of the records after collected_after_
  std::int64_t collected_after_ = 0;  // a row_id; Fold reads those up to it
  SqliteSumWriter quarter_hour_writer_{kLabelQuarterHourTable, 0};
  SqliteSumWriter month_writer_{kLabelMonthTable, 0};
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_LABEL_ROLLUPS_H_
