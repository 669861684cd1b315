// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/postgres_destination.h"

#include <set>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/postgres/record_deletion.h"
#include "tokenusage/store/postgres/table/schema.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

constexpr absl::Duration kTimeout = PostgresTimeouts::kMaintenanceStep;

// Returns the name of a row of the property table.
std::string BookmarkName(const std::string& source) {
  return "copied_from:" + source;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresDestination>> PostgresDestination::Open(
    const std::string& url, const RollupLabels& labels) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                              PostgresConnection::Connect(target));
  TOKENUSAGE_RETURN_IF_ERROR(CheckPostgresSchema(connection.get()));
  TOKENUSAGE_RETURN_IF_ERROR(
      SetUpPostgresLabels(connection.get(), labels).status());
  return std::unique_ptr<PostgresDestination>(
      new PostgresDestination(std::move(connection), labels));
}

absl::StatusOr<std::int64_t> PostgresDestination::Bookmark(
    const std::string& source) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult bookmark,
      connection_->Run(kTimeout, sql::kSelectBookmark, BookmarkName(source)));
  return bookmark.rows() == 0 ? 0 : bookmark.Int64(0, 0);
}

absl::Status PostgresDestination::SetBookmark(const std::string& source,
                                              std::int64_t value) {
  return connection_
      ->Run(kTimeout, sql::kSetBookmark, BookmarkName(source), value)
      .status();
}

absl::Status PostgresDestination::AddDeletion(const Deletion& deletion) {
  return connection_
      ->Run(kTimeout, sql::kAddDeletion,
            DeletionParams(RandomIncarnation(), deletion))
      .status();
}

absl::Status PostgresDestination::SetLabelsFrom(const std::string& project,
                                                std::int64_t seconds) {
  return connection_->Run(kTimeout, sql::kSetLabelsFrom, project, seconds)
      .status();
}

absl::Status PostgresDestination::SetRollups(const std::string& project,
                                             postgres_sql::Family family,
                                             const Rollups& rollups) {
  std::set<SeriesNames> series;
  std::set<std::string> label_sets;
  for (const auto& [key, sum] : rollups) {
    series.insert(
        {key.series.operation, key.series.provider, key.series.model});
    if (!key.series.labels.empty()) label_sets.insert(key.series.labels);
  }
  connection_->Send(sql::kBegin);
  connection_->Send(sql::kInsertProject, project, RandomIncarnation(),
                    RollupLabelsText(labels_));
  connection_->Send(sql::kLockProject, project);
  connection_->Send(sql::kInsertSeries,
                    SeriesParams(project, {series.begin(), series.end()}));
  connection_->Send(
      sql::kInsertLabelSets, project,
      std::vector<std::string>(label_sets.begin(), label_sets.end()));
  connection_->Send(sql::SetRollups(family),
                    RollupParams(project, family, rollups));
  absl::Status status = connection_->Run(kTimeout, sql::kCommit).status();
  if (!connection_->is_broken() && connection_->in_transaction()) {
    connection_->Execute("ROLLBACK", PostgresTimeouts::kSession).IgnoreError();
  }
  return status;
}

}  // namespace tokenusage
