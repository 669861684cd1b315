// SPDX-License-Identifier: Apache-2.0

// Collects the corrections of one append: the records that no longer count.
//
//   PostgresCorrections corrections;
//   if (corrections.CheckMayCorrect(corrected).kind == AppendOutcome::kStored)
//   {
//     corrections.Add(*corrected, record.record_id());
//   }
//   TOKENUSAGE_RETURN_IF_ERROR(
//       corrections.Write(connection, project, std::move(rollups)));

#ifndef TOKENUSAGE_STORE_POSTGRES_CORRECTIONS_H_
#define TOKENUSAGE_STORE_POSTGRES_CORRECTIONS_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/usage_store.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// One thread at a time.
class PostgresCorrections {
 public:
  // Returns kStored if `corrected` may be corrected, because it is corrected
  // neither already nor by a record of this append. Null means that there is no
  // such record.
  AppendOutcome CheckMayCorrect(const v1::UsageRecord* corrected) const;

  // Stops counting a record. The record and `corrected_by` must outlive this.
  void Add(const v1::UsageRecord& corrected, std::string_view corrected_by);

  bool empty() const { return corrections_.empty(); }

  // Stores which record corrects each, subtracts the corrected records from
  // `rollups`, which holds the new records, and sends the change of the
  // rollups: see ChangePostgresRollups.
  absl::Status Write(PostgresConnection* connection, const std::string& project,
                     PostgresRollups rollups) const;

 private:
  struct Correction {
    const v1::UsageRecord* corrected;
    std::string_view corrected_by;
  };

  // By the corrected record's id, so that transactions cannot deadlock.
  std::map<std::string_view, Correction> corrections_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CORRECTIONS_H_
