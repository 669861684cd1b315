// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/corrections.h"

#include <cstdint>
#include <utility>

#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/postgres/connection/values.h"
#include "tokenusage/store/postgres/table/sql.h"

namespace tokenusage {

namespace sql = postgres_sql;

AppendOutcome PostgresCorrections::CheckMayCorrect(
    const v1::UsageRecord* corrected) const {
  if (corrected == nullptr) return AppendOutcome::kCorrectedRecordNotFound;
  const auto added = corrections_.find(corrected->record_id());
  if (added != corrections_.end()) {
    return {AppendOutcome::kAlreadyCorrected,
            std::string(added->second.corrected_by)};
  }
  if (corrected->corrected_by().empty()) return AppendOutcome::kStored;
  return {AppendOutcome::kAlreadyCorrected, corrected->corrected_by()};
}

void PostgresCorrections::Add(const v1::UsageRecord& corrected,
                              std::string_view corrected_by) {
  corrections_.emplace(corrected.record_id(),
                       Correction{&corrected, corrected_by});
}

absl::Status PostgresCorrections::Write(PostgresConnection* connection,
                                        const std::string& project,
                                        PostgresRollups rollups) const {
  PostgresArray ids = PostgresArray::Texts(corrections_.size());
  PostgresArray times = PostgresArray::Int64s(corrections_.size());
  PostgresArray corrected_by = PostgresArray::Texts(corrections_.size());
  for (const auto& [id, correction] : corrections_) {
    const v1::UsageRecord& record = *correction.corrected;
    const std::int64_t time = NanosFromTimestamp(record.event_time());
    ids.Add(id);
    times.Add(time);
    corrected_by.Add(correction.corrected_by);
    if (Counts(record)) rollups.Subtract(record, time, CountRecord(record));
  }
  connection->Send(sql::kInsertCorrections, project, std::move(ids),
                   std::move(times), std::move(corrected_by));
  return ChangePostgresRollups(connection, project, rollups);
}

}  // namespace tokenusage
