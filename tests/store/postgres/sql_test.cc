// SPDX-License-Identifier: Apache-2.0

// Tests what Citus, and several processes on one database, require of every
// statement. Citus is not in Debian, so the rules are checked on the text, and
// the distribution is rehearsed on stand-ins for its functions.

#include "tokenusage/store/postgres/table/sql.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/table/schema.h"

namespace tokenusage::testing {
namespace {

// The tables that are distributed by project.
const std::vector<std::string> kTables = {
    "project",    "series",       "label_set",          "usage_record",
    "correction", "usage_rollup", "usage_label_rollup", "deletion"};

int Count(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return static_cast<int>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex),
                    std::sregex_iterator()));
}

// Returns the number of times that a statement reads from, or writes to, a
// distributed table.
int Uses(const std::string& sql, const std::string& how) {
  return Count(sql,
               how +
                   " tokenusage\\.(project|series|label_set|usage_record|"
                   "correction|usage_rollup|usage_label_rollup|deletion)\\b");
}

// Returns whether a statement sets the column `project`. Uses no std::regex,
// which recurses: statements are long.
bool SetsProject(const std::string& sql) {
  for (std::size_t at = sql.find(" SET "); at != std::string::npos;
       at = sql.find(" SET ", at + 1)) {
    const std::string set = sql.substr(at, sql.find("WHERE", at) - at);
    if (set.find(" project = ") != std::string::npos) return true;
  }
  return false;
}

// Returns the rules that a statement breaks.
std::vector<std::string> BrokenRules(const std::string& sql) {
  std::vector<std::string> broken;
  const auto check = [&](bool kept, const char* rule) {
    if (!kept) broken.emplace_back(rule);
  };
  check(Count(sql, "(^|[^a-z_])(TEMP|TEMPORARY|CREATE|ALTER|DROP)\\b") == 0,
        "no temporary tables, no changes of the schema");
  check(Count(sql,
              "\\b(now|random|clock_timestamp|nextval|current_timestamp|"
              "gen_random_uuid|timeofday|statement_timestamp)\\b") == 0,
        "only immutable functions");
  check(Count(sql, "\\b(JOIN|WITH)\\b") == 0, "no joins");
  check(Uses(sql, "(FROM|UPDATE)") ==
            Count(sql, "WHERE (p\\.)?project = \\$1\\b"),
        "each table that is read, updated or deleted from is held to $1");
  check(Uses(sql, "INTO") + Count(sql, "INTO tokenusage\\.property") ==
            Count(sql, "(SELECT p\\.project, |VALUES\\(\\$1, )"),
        "each row that is inserted is of project $1");
  check(Count(sql, "ON CONFLICT") ==
            Count(sql, "ON CONFLICT \\((project|name)\\b"),
        "each key that is named begins with project");
  check(!SetsProject(sql), "the distribution column does not change");
  check(Count(sql, "unnest") == 0 || Count(sql, "INSERT INTO") == 1,
        "lists are expanded only to insert them");
  // Every table that is named is a known one, and has its schema.
  const int named = Count(sql, "tokenusage\\.");
  check(named == Uses(sql, "(FROM|UPDATE|INTO)") +
                     Count(sql, "(FROM|UPDATE|INTO) tokenusage\\.property\\b"),
        "tables are named after FROM, UPDATE or INTO only");
  return broken;
}

TEST(PostgresSqlTest, EveryStatementKeepsTheRulesOfCitus) {
  std::set<std::string> names;
  for (const PostgresStatement& statement : postgres_sql::AllStatements()) {
    EXPECT_TRUE(names.insert(statement.name).second) << statement.name;
    // Only all nodes together know all projects and deletions.
    if (statement.name == std::string("select_projects") ||
        statement.name == std::string("select_deletions")) {
      continue;
    }
    EXPECT_EQ(BrokenRules(statement.sql), std::vector<std::string>())
        << statement.name << ": " << statement.sql;
  }
  // AllStatements() forgets none: it has those of sql.h and, for each of the
  // two families of rollups, four on rollups and eight of totals.
  std::ifstream header("cpp/tokenusage/store/postgres/table/sql.h");
  const std::string text((std::istreambuf_iterator<char>(header)), {});
  EXPECT_EQ(names.size(),
            static_cast<std::size_t>(
                Count(text, "constexpr PostgresStatement k") + 24));
}

TEST(PostgresSqlTest, TheRulesNoticeWhatBreaksThem) {
  for (const char* const sql :
       {"SELECT record FROM tokenusage.usage_record WHERE record_id = $1",
        "SELECT a FROM tokenusage.usage_record WHERE project = $1 UNION ALL "
        "SELECT a FROM tokenusage.usage_rollup WHERE cell_start = 0",
        "SELECT 1 FROM tokenusage.usage_record r JOIN tokenusage.series s ON "
        "r.record_id = s.model WHERE project = $1",
        "INSERT INTO tokenusage.series(project, model) SELECT s.project, "
        "s.model FROM unnest($1::text[]) AS s ON CONFLICT (project) DO NOTHING",
        "INSERT INTO tokenusage.project(project, incarnation, horizon) "
        "VALUES($1, $2, $3) ON CONFLICT (incarnation) DO NOTHING",
        "INSERT INTO tokenusage.project(project) VALUES($1, now())",
        "CREATE TEMP TABLE batch(id text)",
        "UPDATE tokenusage.project SET project = $2 WHERE project = $1",
        "DELETE FROM tokenusage.usage_record WHERE event_time < $1"}) {
    EXPECT_NE(BrokenRules(sql), std::vector<std::string>()) << sql;
  }
}

TEST(PostgresSqlTest, EveryKeyAndIndexBeginsWithProject) {
  const std::string url = SharedPostgresServer().NewDatabase();
  // Lists the indexes that do not begin with project, except that of the table
  // of properties.
  EXPECT_EQ(
      RunPostgresSql(
          url,
          "SELECT string_agg(i.indexrelid::regclass::text, ' ') "
          "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
          "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
          " WHERE c.relnamespace = 'tokenusage'::regnamespace "
          "AND c.relname <> 'property' AND a.attname <> 'project'"),
      "");
  // Nothing that Citus cannot distribute, or that several shards would share.
  EXPECT_EQ(RunPostgresSql(url,
                           "SELECT count(*) FROM pg_class WHERE relnamespace = "
                           "'tokenusage'::regnamespace AND relkind NOT IN "
                           "('r', 'i')"),
            "0");
  EXPECT_EQ(RunPostgresSql(
                url,
                "SELECT count(*) FROM pg_constraint WHERE connamespace = "
                "'tokenusage'::regnamespace AND contype NOT IN ('p', 'n')"),
            "0");
}

TEST(PostgresSqlTest, TextSortsByBytes) {
  const std::string url = SharedPostgresServer().NewDatabase();
  EXPECT_EQ(RunPostgresSql(
                url,
                "SELECT string_agg(c.relname || '.' || a.attname, ' ') "
                "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "JOIN pg_collation k ON k.oid = a.attcollation "
                "WHERE c.relnamespace = 'tokenusage'::regnamespace "
                "AND a.atttypid = 'text'::regtype AND k.collname <> 'C'"),
            "");
}

TEST(PostgresSqlTest, EveryStatementIsPrepared) {
  const auto target =
      PostgresTarget::Parse(SharedPostgresServer().NewDatabase());
  const auto connection = PostgresConnection::Connect(*target).value();
  for (const PostgresStatement& statement : postgres_sql::AllStatements()) {
    const std::string name = statement.name;
    EXPECT_TRUE(
        connection->Execute("PREPARE " + name + " AS " + statement.sql).ok() ||
        name.substr(0, 5) == "begin" || name == "commit")
        << statement.sql;
  }
}

// PostgreSQL would rather scan an empty table than use its index, and a
// prepared statement keeps that plan after the table has grown.
TEST(PostgresSqlTest, PlansOfEmptyTablesSuitLargeOnes) {
  if (IsCitus()) GTEST_SKIP() << "workers make their own plans";
  const std::string url = SharedPostgresServer().NewDatabase();
  RunPostgresSql(url, "ANALYZE");
  const auto connection =
      PostgresConnection::Connect(*PostgresTarget::Parse(url)).value();
  ASSERT_THAT(connection->Execute("SET plan_cache_mode = force_generic_plan"),
              IsOk());
  int plans = 0;
  for (const PostgresStatement& statement : postgres_sql::AllStatements()) {
    const std::string name = statement.name;
    // The lists of projects and deletions are read as a whole.
    if (name == "select_projects" || name == "select_deletions" ||
        !connection->Execute("PREPARE " + name + " AS " + statement.sql).ok()) {
      continue;
    }
    int parameters = 0;
    while (Count(statement.sql,
                 "\\$" + std::to_string(parameters + 1) + "\\b") > 0) {
      ++parameters;
    }
    std::string values;
    for (int i = 0; i < parameters; ++i) values += i == 0 ? "NULL" : ", NULL";
    const auto plan = connection->Execute(
        "EXPLAIN EXECUTE " + name + (values.empty() ? "" : "(" + values + ")"));
    ASSERT_THAT(plan, IsOk()) << name;
    for (int row = 0; row < plan->rows(); ++row) {
      EXPECT_EQ(plan->Bytes(row, 0).find("Seq Scan"), std::string_view::npos)
          << name << ": " << plan->Bytes(row, 0);
    }
    ++plans;
  }
  EXPECT_GT(plans, 60);
}

// Citus' catalogue and functions, as far as migrating uses them.
constexpr char kStandIns[] =
    "CREATE TABLE pg_dist_partition(logicalrelid regclass);"
    "CREATE TABLE calls(call text);"
    "CREATE FUNCTION create_reference_table(t regclass) RETURNS void AS $$ "
    "INSERT INTO pg_dist_partition VALUES(t);"
    "INSERT INTO calls VALUES('reference ' || t::text) $$ LANGUAGE sql;"
    "CREATE FUNCTION create_distributed_table(t regclass, by text, "
    "colocate_with text) RETURNS void AS $$ "
    "INSERT INTO pg_dist_partition VALUES(t);"
    "INSERT INTO calls VALUES(t::text || ' by ' || by || ' with ' || "
    "colocate_with) $$ LANGUAGE sql";

TEST(PostgresSqlTest, DistributesAllTablesByProject) {
  if (IsCitus()) GTEST_SKIP() << "this server needs no stand-ins";
  const std::string url = SharedPostgresServer().NewEmptyDatabase();
  const auto without = MigratePostgresDatabase(url, /*distribute=*/true);
  EXPECT_EQ(without.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(without.status().message().find("CREATE EXTENSION citus"),
            std::string::npos);
  EXPECT_EQ(RunPostgresSql(url, "SELECT to_regclass('tokenusage.property')"),
            "");

  RunPostgresSql(url, kStandIns);
  const auto first = MigratePostgresDatabase(url, /*distribute=*/true);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->from_version, 0);
  EXPECT_EQ(first->distributed_tables.size(), kTables.size() + 1);
  EXPECT_EQ(RunPostgresSql(url, "SELECT string_agg(call, ', ') FROM calls"),
            "reference property, "
            "project by project with none, "
            "series by project with tokenusage.project, "
            "label_set by project with tokenusage.project, "
            "usage_record by project with tokenusage.project, "
            "correction by project with tokenusage.project, "
            "usage_rollup by project with tokenusage.project, "
            "usage_label_rollup by project with tokenusage.project, "
            "deletion by project with tokenusage.project");

  // Migrating once more does nothing, and does not undistribute anything.
  const auto again = MigratePostgresDatabase(url, /*distribute=*/true);
  EXPECT_EQ(again->distributed_tables.size(), 0u);
  EXPECT_EQ(again->from_version, kPostgresSchemaVersion);
}

TEST(PostgresSqlTest, TheKeyOfPageTokensBelongsToTheDatabase) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const std::string key = OpenPostgresStore(url).value()->page_token_key();
  EXPECT_EQ(key.size(), 36u);
  ASSERT_THAT(MigratePostgresDatabase(url, /*distribute=*/false), IsOk());
  EXPECT_EQ(OpenPostgresStore(url).value()->page_token_key(), key);
  EXPECT_NE(OpenPostgresStore(SharedPostgresServer().NewDatabase())
                .value()
                ->page_token_key(),
            key);
}

TEST(PostgresSqlTest, AServiceNeedsTheTablesOfItsVersion) {
  const std::string url = SharedPostgresServer().NewEmptyDatabase();
  const auto message = [&] {
    const auto store = OpenPostgresStore(url);
    return store.ok() ? "opened" : std::string(store.status().message());
  };
  EXPECT_NE(message().find("tokenusage db migrate"), std::string::npos);
  EXPECT_EQ(OpenPostgresStore(url).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // The attempt has changed nothing.
  EXPECT_EQ(RunPostgresSql(url,
                           "SELECT count(*) FROM pg_namespace WHERE nspname = "
                           "'tokenusage'"),
            "0");
  ASSERT_THAT(MigratePostgresDatabase(url, false), IsOk());
  EXPECT_EQ(message(), "opened");
  RunPostgresSql(url,
                 "UPDATE tokenusage.property SET value = value::int + 1 "
                 "WHERE name = 'schema_version'");
  EXPECT_NE(message().find("use a newer program"), std::string::npos);
  EXPECT_THAT(MigratePostgresDatabase(url, false), ::testing::Not(IsOk()));
}

}  // namespace
}  // namespace tokenusage::testing
