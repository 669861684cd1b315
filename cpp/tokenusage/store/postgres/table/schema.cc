// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/table/schema.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

// The statements that create the tables. The tables of rollups also get
// the columns of all measures: see AddMeasureColumns.
//
// Text sorts by bytes everywhere: the order of the other stores, which no
// update of the system's locales can change under an index.
constexpr const char* kTables[] = {
    "CREATE SCHEMA IF NOT EXISTS tokenusage",

    "CREATE TABLE tokenusage.property("
    // schema_version, page_token_key, rollup_labels (of new projects),
    // bookmarks
    "name text COLLATE \"C\" PRIMARY KEY,"
    "value text COLLATE \"C\" NOT NULL)",

    "INSERT INTO tokenusage.property(name, value) VALUES"
    "('page_token_key', gen_random_uuid()), ('rollup_labels', '')",

    // A project that has or had records. Appends lock its row, most of them in
    // share mode, so an exclusive lock waits for running appends.
    "CREATE TABLE tokenusage.project("
    "project text COLLATE \"C\" PRIMARY KEY,"
    "incarnation bigint NOT NULL,"  // random; changes with rollup_labels, and
                                    // if the project is deleted and added again
    "horizon bigint NOT NULL,"      // seconds since 1970, UTC; 0 if none
    "retain_seconds bigint,"        // NULL: the service's default
    // The labels that its rollups are kept by, and since when, like horizon.
    "rollup_labels text COLLATE \"C\" NOT NULL,"
    "labels_from bigint NOT NULL DEFAULT 0)",

    // The distinct (operation, provider, model) of a project's records.
    "CREATE TABLE tokenusage.series("
    "project text COLLATE \"C\" NOT NULL,"
    "operation text COLLATE \"C\" NOT NULL,"
    "provider text COLLATE \"C\" NOT NULL,"  // empty if the record has none
    "model text COLLATE \"C\" NOT NULL,"     // empty if the record has none
    "PRIMARY KEY (project, operation, provider, model))",

    // The distinct values of the rollup labels in a project's records.
    "CREATE TABLE tokenusage.label_set("
    "project text COLLATE \"C\" NOT NULL,"
    "labels text COLLATE \"C\" NOT NULL,"  // see label_set.h
    "PRIMARY KEY (project, labels))",

    "CREATE TABLE tokenusage.usage_record("
    "project text COLLATE \"C\" NOT NULL,"
    "record_id text COLLATE \"C\" NOT NULL,"
    "event_time bigint NOT NULL,"     // nanoseconds since 1970, UTC
    "inconsistent boolean NOT NULL,"  // whether the usage contradicts itself
    "record bytea NOT NULL,"          // a complete tokenusage.v1.UsageRecord
    "PRIMARY KEY (project, record_id))",

    "CREATE INDEX usage_record_by_time ON "
    "tokenusage.usage_record(project, event_time, record_id)",

    "CREATE INDEX inconsistent_record_by_time ON "
    "tokenusage.usage_record(project, event_time, record_id) "
    "WHERE inconsistent",

    // The records that correct others. A separate table, because an UPDATE of
    // the corrected record would write its row and index entries again. A row
    // is removed together with the record that is corrected.
    "CREATE TABLE tokenusage.correction("
    "project text COLLATE \"C\" NOT NULL,"
    "record_id text COLLATE \"C\" NOT NULL,"  // of the corrected record
    "event_time bigint NOT NULL,"             // and its time
    "corrected_by text COLLATE \"C\" NOT NULL,"
    "PRIMARY KEY (project, record_id))",

    // The sums of a series' records in each quarter hour and each hour of UTC.
    // A cell without records has no row. Pages are half filled, so that rows
    // are updated in place.
    "CREATE TABLE tokenusage.usage_rollup("
    "project text COLLATE \"C\" NOT NULL,"
    "cell_seconds bigint NOT NULL,"  // 900 or 3600
    "cell_start bigint NOT NULL,"    // seconds since 1970, UTC
    "operation text COLLATE \"C\" NOT NULL,"
    "provider text COLLATE \"C\" NOT NULL,"
    "model text COLLATE \"C\" NOT NULL,"
    "record_count bigint NOT NULL,"
    "inconsistent_record_count bigint NOT NULL,"
    "unknown_usage_record_count bigint NOT NULL,"
    "PRIMARY KEY (project, cell_seconds, cell_start, operation, provider, "
    "model)) WITH (fillfactor = 50)",

    // The deletions of records, which outlive their projects.
    "CREATE TABLE tokenusage.deletion("
    "project text COLLATE \"C\" NOT NULL,"
    "deletion_id bigint NOT NULL,"            // random
    "start_time bigint NOT NULL,"             // seconds since 1970, UTC
    "selection text COLLATE \"C\" NOT NULL,"  // for people
    "record_count bigint NOT NULL,"
    "PRIMARY KEY (project, deletion_id))",

    // The same sums by label set, in each quarter hour and each month of UTC.
    "CREATE TABLE tokenusage.usage_label_rollup("
    "project text COLLATE \"C\" NOT NULL,"
    "cell_seconds bigint NOT NULL,"  // 900, or 2678400 for months
    "cell_start bigint NOT NULL,"    // seconds since 1970, UTC
    "labels text COLLATE \"C\" NOT NULL,"
    "operation text COLLATE \"C\" NOT NULL,"
    "provider text COLLATE \"C\" NOT NULL,"
    "model text COLLATE \"C\" NOT NULL,"
    "record_count bigint NOT NULL,"
    "inconsistent_record_count bigint NOT NULL,"
    "unknown_usage_record_count bigint NOT NULL,"
    "PRIMARY KEY (project, cell_seconds, cell_start, labels, operation, "
    "provider, model)) WITH (fillfactor = 50)"};

constexpr const char* kRollupTables[] = {"tokenusage.usage_rollup",
                                         "tokenusage.usage_label_rollup"};

// All are co-located with the first.
constexpr const char* kDistributedTables[] = {"tokenusage.project",
                                              "tokenusage.series",
                                              "tokenusage.label_set",
                                              "tokenusage.usage_record",
                                              "tokenusage.correction",
                                              "tokenusage.usage_rollup",
                                              "tokenusage.usage_label_rollup",
                                              "tokenusage.deletion"};
constexpr const char kReferenceTable[] = "tokenusage.property";

// Makes concurrent migrations wait for each other: "tokn" in ASCII.
constexpr const char* kMigrationLock =
    "SELECT pg_advisory_xact_lock(1953459054)";

// Returns the first value of the first row, as text; empty if there is no row.
absl::StatusOr<std::string> QueryText(PostgresConnection* connection,
                                      const std::string& sql) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResult result,
                              connection->Execute(sql));
  return std::string(result.rows() == 0 ? "" : result.Bytes(0, 0));
}

absl::StatusOr<bool> QueryBool(PostgresConnection* connection,
                               const std::string& condition) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string value,
                              QueryText(connection, "SELECT " + condition));
  return value == "t";
}

// Returns whether a table of tokenusage, or of Citus, exists.
absl::StatusOr<bool> HasTable(PostgresConnection* connection,
                              const std::string& name) {
  return QueryBool(connection, "to_regclass('" + name + "') IS NOT NULL");
}

absl::Status Refuse(const PostgresConnection& connection,
                    const std::string& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("database ", connection.display(), " ", why));
}

absl::Status CheckServer(const PostgresConnection& connection) {
  if (connection.server_version() < kMinPostgresVersion) {
    return Refuse(connection,
                  absl::StrCat("is PostgreSQL ",
                               connection.ServerParameter("server_version"),
                               ": 13 or newer is needed"));
  }
  const std::string encoding = connection.ServerParameter("server_encoding");
  if (encoding == "UTF8") return absl::OkStatus();
  return Refuse(connection, absl::StrCat("has the encoding ", encoding,
                                         ": UTF8 is needed"));
}

// Returns 0 if there are no tables.
absl::StatusOr<std::int64_t> SchemaVersion(PostgresConnection* connection) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              HasTable(connection, kReferenceTable));
  if (!exists) return 0;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string version,
                              QueryText(connection,
                                        "SELECT value FROM tokenusage.property "
                                        "WHERE name = 'schema_version'"));
  return std::atoll(version.c_str());
}

absl::Status CheckNotNewer(const PostgresConnection& connection,
                           std::int64_t version) {
  if (version <= kPostgresSchemaVersion) return absl::OkStatus();
  return Refuse(connection,
                absl::StrCat("has version ", version, "; this program knows ",
                             kPostgresSchemaVersion, ": use a newer program"));
}

// Adds the columns of the measures with greater numbers than `last`, which must
// not be the last measure, to the tables of rollups. Without a default, this
// only changes the catalogue.
absl::Status AddMeasureColumns(PostgresConnection* connection, int last) {
  std::string columns;
  for (int number = last + 1; number <= kMaxUsageMeasure; ++number) {
    const std::string name(
        postgres_sql::MeasureColumn(static_cast<v1::UsageMeasure>(number)));
    absl::StrAppend(&columns, columns.empty() ? "" : ", ", "ADD COLUMN ", name,
                    "_records bigint, ADD COLUMN ", name, " numeric");
  }
  for (const char* table : kRollupTables) {
    TOKENUSAGE_RETURN_IF_ERROR(
        connection->Execute(absl::StrCat("ALTER TABLE ", table, " ", columns))
            .status());
  }
  return absl::OkStatus();
}

absl::Status CreateTables(PostgresConnection* connection) {
  for (const char* statement : kTables) {
    TOKENUSAGE_RETURN_IF_ERROR(connection->Execute(statement).status());
  }
  return AddMeasureColumns(connection, 0);
}

absl::Status SetSchemaVersion(PostgresConnection* connection) {
  return connection
      ->Execute(
          absl::StrCat("INSERT INTO tokenusage.property(name, value) VALUES"
                       "('schema_version', '",
                       kPostgresSchemaVersion,
                       "') ON CONFLICT (name) DO UPDATE SET value = "
                       "excluded.value"))
      .status();
}

// Distributes a table, unless it is distributed already.
absl::Status Distribute(PostgresConnection* connection,
                        const std::string& table, const std::string& call,
                        PostgresMigration* migration) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const bool done,
      QueryBool(connection,
                absl::StrCat("EXISTS(SELECT FROM pg_dist_partition WHERE "
                             "logicalrelid = '",
                             table, "'::regclass)")));
  if (done) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(connection->Execute("SELECT " + call).status());
  migration->distributed_tables.push_back(table);
  return absl::OkStatus();
}

absl::Status DistributeTables(PostgresConnection* connection,
                              PostgresMigration* migration) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool citus,
                              HasTable(connection, "pg_dist_partition"));
  if (!citus) {
    return Refuse(*connection,
                  "has no Citus: run CREATE EXTENSION citus on all nodes");
  }
  TOKENUSAGE_RETURN_IF_ERROR(Distribute(
      connection, kReferenceTable,
      absl::StrCat("create_reference_table('", kReferenceTable, "')"),
      migration));
  for (const std::string table : kDistributedTables) {
    const char* with =
        table == kDistributedTables[0] ? "none" : kDistributedTables[0];
    TOKENUSAGE_RETURN_IF_ERROR(
        Distribute(connection, table,
                   absl::StrCat("create_distributed_table('", table,
                                "', 'project', colocate_with => '", with, "')"),
                   migration));
  }
  return absl::OkStatus();
}

// Refuses a cluster of Citus if a commit on one of its workers is not durable:
// what this session sets for itself does not reach them. Ignores workers that
// are down.
absl::Status CheckWorkers(PostgresConnection* connection) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool citus,
                              HasTable(connection, "pg_dist_node"));
  if (!citus) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(
      connection->Execute("SET citus.node_connection_timeout = '3s'").status());
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string workers,
      QueryText(connection,
                "SELECT string_agg(nodename || ':' || nodeport, ', ') "
                "FROM run_command_on_workers('SHOW synchronous_commit') "
                "WHERE success AND result = 'off'"));
  if (workers.empty()) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string role,
      QueryText(connection, "SELECT quote_ident(current_user)"));
  return Refuse(
      *connection,
      absl::StrCat("has synchronous_commit = off on the workers ", workers,
                   ": run ALTER ROLE ", role, " SET synchronous_commit = on"));
}

absl::Status CheckIsNoWorker(PostgresConnection* connection) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool citus,
                              HasTable(connection, "pg_dist_local_group"));
  if (!citus) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const bool worker,
      QueryBool(connection,
                "EXISTS(SELECT FROM pg_dist_local_group WHERE groupid > 0)"));
  if (!worker) return absl::OkStatus();
  return Refuse(*connection,
                "is a worker of Citus: run this on the coordinator");
}

absl::StatusOr<PostgresMigration> MigrateInTransaction(
    PostgresConnection* connection, bool distribute) {
  TOKENUSAGE_RETURN_IF_ERROR(connection->Execute(kMigrationLock).status());
  PostgresMigration migration;
  TOKENUSAGE_ASSIGN_OR_RETURN(migration.from_version,
                              SchemaVersion(connection));
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckNotNewer(*connection, migration.from_version));
  if (migration.from_version == 0) {
    TOKENUSAGE_RETURN_IF_ERROR(CreateTables(connection));
  } else if (migration.from_version < kPostgresSchemaVersion) {
    TOKENUSAGE_RETURN_IF_ERROR(AddMeasureColumns(
        connection, static_cast<int>(migration.from_version % 100)));
  }
  if (migration.from_version != kPostgresSchemaVersion) {
    TOKENUSAGE_RETURN_IF_ERROR(SetSchemaVersion(connection));
  }
  if (distribute) {
    TOKENUSAGE_RETURN_IF_ERROR(DistributeTables(connection, &migration));
  }
  return migration;
}

}  // namespace

absl::Status CheckPostgresSchema(PostgresConnection* connection) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckServer(*connection));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t version,
                              SchemaVersion(connection));
  TOKENUSAGE_RETURN_IF_ERROR(CheckNotNewer(*connection, version));
  if (version == kPostgresSchemaVersion) return CheckWorkers(connection);
  return Refuse(*connection,
                absl::StrCat(version == 0 ? "has no tables of tokenusage"
                                          : "has tables of an older version",
                             ": run `tokenusage db migrate` on it first"));
}

absl::StatusOr<std::string> ReadPageTokenKey(PostgresConnection* connection) {
  return QueryText(connection,
                   "SELECT value FROM tokenusage.property "
                   "WHERE name = 'page_token_key'");
}

absl::StatusOr<RollupLabels> SetUpPostgresLabels(
    PostgresConnection* connection, const std::optional<RollupLabels>& wanted) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string text,
      QueryText(connection, postgres_sql::kSelectLabels.sql));
  TOKENUSAGE_ASSIGN_OR_RETURN(const RollupLabels found,
                              ParseRollupLabels(text));
  if (!wanted || *wanted == found) return found;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string projects,
      QueryText(connection, "SELECT count(*)::text FROM tokenusage.project"));
  if (projects != "0") {
    return CheckRollupLabels(connection->display(), found, wanted);
  }
  TOKENUSAGE_RETURN_IF_ERROR(WritePostgresLabels(connection, *wanted));
  return *wanted;
}

absl::Status WritePostgresLabels(PostgresConnection* connection,
                                 const RollupLabels& labels) {
  // Keys hold no quotes.
  const std::string update =
      absl::StrCat("UPDATE tokenusage.property SET value = '",
                   RollupLabelsText(labels), "' WHERE name = 'rollup_labels'");
  for (const std::string& sql :
       {std::string("BEGIN"), std::string(postgres_sql::kLockLabels.sql),
        update, std::string("COMMIT")}) {
    TOKENUSAGE_RETURN_IF_ERROR(connection->Execute(sql).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<PostgresMigration> MigratePostgresDatabase(
    const std::string& url, bool distribute) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto connection,
                              PostgresConnection::Connect(target));
  TOKENUSAGE_RETURN_IF_ERROR(CheckServer(*connection));
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsNoWorker(connection.get()));
  // An error closes the connection, which rolls back.
  TOKENUSAGE_RETURN_IF_ERROR(connection->Execute("BEGIN").status());
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresMigration migration,
      MigrateInTransaction(connection.get(), distribute));
  TOKENUSAGE_RETURN_IF_ERROR(connection->Execute("COMMIT").status());
  return migration;
}

absl::StatusOr<std::vector<StoredProject>> ReadPostgresProjects(
    PostgresConnection* connection, absl::Duration timeout) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult rows,
      connection->Run(timeout, postgres_sql::kSelectProjects));
  std::vector<StoredProject> all;
  for (int row = 0; row < rows.rows(); ++row) {
    all.push_back({std::string(rows.Bytes(row, 0)),
                   HorizonTime(HorizonNanos(rows.Int64(row, 1)))});
  }
  std::sort(all.begin(), all.end(),
            [](const StoredProject& a, const StoredProject& b) {
              return a.name < b.name;
            });
  return all;
}

absl::StatusOr<std::vector<ProjectHorizon>> ReadPostgresHorizons(
    PostgresConnection* connection, const std::vector<std::string>& projects) {
  std::vector<ProjectHorizon> horizons;
  if (projects.empty()) return horizons;
  for (const std::string& project : projects) {
    connection->Send(postgres_sql::kSelectHorizon, project);
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                              connection->Sync(PostgresTimeouts::kStep));
  for (std::size_t i = 0; i < projects.size(); ++i) {
    if (results[i].rows() == 0) continue;
    TOKENUSAGE_ASSIGN_OR_RETURN(const RollupLabels labels,
                                ParseRollupLabels(results[i].Bytes(0, 2)));
    horizons.push_back({projects[i], HorizonNanos(results[i].Int64(0, 0)),
                        labels, HorizonNanos(results[i].Int64(0, 1))});
  }
  return horizons;
}

}  // namespace tokenusage
