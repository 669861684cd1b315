// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/postgres_destination.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/schema.h"
#include "tokenusage/store/postgres/series_cache.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/postgres/target.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

constexpr absl::Duration kStepTime = absl::Minutes(1);

// Kept among the properties.
std::string BookmarkName(const std::string& source) {
  return "copied_from:" + source;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresDestination>> PostgresDestination::Open(
    const std::string& url) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<PostgresConnection> connection,
                              PostgresConnection::Connect(target));
  TOKENUSAGE_RETURN_IF_ERROR(CheckPostgresSchema(connection.get()));
  return std::unique_ptr<PostgresDestination>(
      new PostgresDestination(std::move(connection)));
}

absl::StatusOr<std::int64_t> PostgresDestination::Bookmark(
    const std::string& source) {
  PostgresParams params;
  params.AddText(BookmarkName(source));
  connection_->Send(sql::SelectBookmark(), params);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              connection_->Sync(absl::Now() + kStepTime));
  return results[0].rows() == 0 ? 0 : results[0].Int64(0, 0);
}

absl::Status PostgresDestination::SetBookmark(const std::string& source,
                                              std::int64_t value) {
  PostgresParams params;
  params.AddText(BookmarkName(source));
  params.AddInt64(value);
  connection_->Send(sql::SetBookmark(), params);
  return connection_->Sync(absl::Now() + kStepTime).status();
}

absl::Status PostgresDestination::SetCells(
    const std::string& project,
    const std::map<PostgresCells::Key, UsageSum>& cells) {
  std::set<PostgresCells::Names> all_names;
  for (const auto& [key, sum] : cells) all_names.insert(std::get<2>(key));
  std::vector<std::string> operations;
  std::vector<std::string> providers;
  std::vector<std::string> models;
  for (const auto& [operation, provider, model] : all_names) {
    operations.push_back(operation);
    providers.push_back(provider);
    models.push_back(model);
  }
  PostgresParams insert;
  insert.AddText(project);
  insert.AddInt64(RandomIncarnation());
  PostgresParams lock;
  lock.AddText(project);
  PostgresParams series;
  series.AddText(project);
  series.AddTextArray(operations);
  series.AddTextArray(providers);
  series.AddTextArray(models);
  connection_->Send(sql::Begin());
  connection_->Send(sql::InsertProject(), insert);
  connection_->Send(sql::LockProject(), lock);
  connection_->Send(sql::InsertSeries(), series);
  connection_->Send(sql::SetRollup(), RollupParams(project, cells));
  connection_->Send(sql::Commit());
  absl::Status status = connection_->Sync(absl::Now() + kStepTime).status();
  if (!connection_->is_broken() && connection_->in_transaction()) {
    connection_->Execute("ROLLBACK", absl::Now() + kStepTime).IgnoreError();
  }
  return status;
}

}  // namespace tokenusage
