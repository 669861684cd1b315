// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/postgres_destination.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/record_deletion.h"
#include "tokenusage/store/postgres/schema.h"
#include "tokenusage/store/postgres/series.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/postgres/target.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

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
  PostgresParams params;
  params.AddText(BookmarkName(source));
  connection_->Send(sql::kSelectBookmark, params);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              Sync());
  return results[0].rows() == 0 ? 0 : results[0].Int64(0, 0);
}

absl::Status PostgresDestination::SetBookmark(const std::string& source,
                                              std::int64_t value) {
  PostgresParams params;
  params.AddText(BookmarkName(source));
  params.AddInt64(value);
  connection_->Send(sql::kSetBookmark, params);
  return Sync().status();
}

absl::Status PostgresDestination::AddDeletion(const Deletion& deletion) {
  connection_->Send(sql::kAddDeletion,
                    DeletionParams(RandomIncarnation(), deletion));
  return Sync().status();
}

absl::Status PostgresDestination::SetLabelsFrom(const std::string& project,
                                                std::int64_t seconds) {
  PostgresParams params;
  params.AddText(project);
  params.AddInt64(seconds);
  connection_->Send(sql::kSetLabelsFrom, params);
  return Sync().status();
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
  PostgresParams lock;
  lock.AddText(project);
  PostgresParams insert = lock;
  insert.AddInt64(RandomIncarnation());
  insert.AddText(RollupLabelsText(labels_));
  connection_->Send(sql::kBegin);
  connection_->Send(sql::kInsertProject, insert);
  connection_->Send(sql::kLockProject, lock);
  connection_->Send(sql::kInsertSeries,
                    SeriesParams(project, {series.begin(), series.end()}));
  PostgresParams insert_label_sets = lock;
  insert_label_sets.AddTextArray({label_sets.begin(), label_sets.end()});
  connection_->Send(sql::kInsertLabelSets, insert_label_sets);
  connection_->Send(sql::SetRollups(family),
                    RollupParams(project, family, rollups));
  connection_->Send(sql::kCommit);
  absl::Status status = Sync().status();
  if (!connection_->is_broken() && connection_->in_transaction()) {
    connection_->Execute("ROLLBACK", absl::Now() + PostgresTimeouts::kSession)
        .IgnoreError();
  }
  return status;
}

}  // namespace tokenusage
