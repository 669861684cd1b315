// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/store.h"

#include <utility>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/maintenance.h"
#include "tokenusage/store/postgres/reader.h"
#include "tokenusage/store/postgres/target.h"
#include "tokenusage/store/postgres/writer.h"

namespace tokenusage {
namespace {

class PostgresStore : public UsageStore {
 public:
  PostgresStore(const PostgresTarget& target,
                const PostgresStoreOptions& options, std::string page_token_key)
      : page_token_key_(std::move(page_token_key)),
        maintenance_(target),
        reader_(target, options.max_read_connections),
        writer_(
            target,
            {options.max_write_connections, options.max_records_per_commit,
             options.max_queued_bytes, options.rollups, options.on_commit}) {}

  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override {
    writer_.Append(project, std::move(batch), std::move(limits),
                   std::move(done));
  }

  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override {
    return reader_.Query(query);
  }

  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override {
    return reader_.GetRecord(project, record_id);
  }

  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override {
    return reader_.ListRecords(query);
  }

  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override {
    return reader_.ListProjects(limits);
  }

  absl::Status CheckWritable() override { return writer_.CheckWritable(); }

  std::string page_token_key() const override { return page_token_key_; }

  StoreStats Stats() const override { return writer_.Stats(); }

  StoreMaintenance* maintenance() override { return &maintenance_; }

 private:
  const std::string page_token_key_;
  PostgresMaintenance maintenance_;
  PostgresReader reader_;
  PostgresWriter writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<UsageStore>> OpenPostgresStore(
    const std::string& url, const PostgresStoreOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto connection,
                              PostgresConnection::Connect(target));
  TOKENUSAGE_RETURN_IF_ERROR(CheckPostgresSchema(connection.get()));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string page_token_key,
                              ReadPageTokenKey(connection.get()));
  PostgresStoreOptions known = options;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      known.rollups.labels,
      SetUpPostgresLabels(connection.get(), options.rollups.labels));
  return std::unique_ptr<UsageStore>(
      new PostgresStore(target, known, std::move(page_token_key)));
}

absl::StatusOr<PostgresMigration> MigratePostgresDatabase(
    const std::string& url, bool distribute) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto connection,
                              PostgresConnection::Connect(target));
  return MigratePostgresSchema(connection.get(), distribute);
}

}  // namespace tokenusage
