// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/sql.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/record/token_counts.h"

namespace tokenusage::postgres_sql {
namespace {

// Adds to existing rollups, or replaces them.
std::string RollupSql(bool add) {
  std::string columns;
  std::string names;
  std::string updates;
  for (const char* sum : kTokenMeasureNames) {
    absl::StrAppend(&columns, ", ", sum);
    absl::StrAppend(&names, ", c.", sum, "::numeric");
    if (add) {
      // NULL counts as 0, unless both are NULL.
      absl::StrAppend(&updates, ", ", sum, " = coalesce(r.", sum,
                      " + excluded.", sum, ", r.", sum, ", excluded.", sum,
                      ")");
    } else {
      absl::StrAppend(&updates, ", ", sum, " = excluded.", sum);
    }
  }
  return absl::StrCat(
      "INSERT INTO tokenusage.usage_rollup AS r"
      "(project, cell_seconds, cell_start, operation, provider, model, "
      "record_count",
      columns,
      ") SELECT p.project, c.cell_seconds, c.cell_start, c.operation, "
      "c.provider, c.model, c.record_count",
      names,
      " FROM tokenusage.project AS p, unnest($2::bigint[], $3::bigint[], "
      "$4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], "
      "$9::text[], $10::text[], $11::text[], $12::text[]) "
      "AS c(cell_seconds, cell_start, operation, provider, model, record_count",
      columns,
      ") WHERE p.project = $1 ON CONFLICT (project, cell_seconds, cell_start, "
      "operation, provider, "
      "model) DO UPDATE SET record_count = ",
      add ? "r.record_count + " : "", "excluded.record_count", updates);
}

// Selects rollups of one cell length in a window, with the bucket of each.
std::string BucketedRollupsSql(int cell_seconds, const char* start,
                               const char* end) {
  std::string sums;
  for (const char* sum : kTokenMeasureNames) absl::StrAppend(&sums, ", ", sum);
  return absl::StrCat(
      "SELECT CASE WHEN $15::bigint[] IS NULL THEN cell_start ELSE "
      "width_bucket(cell_start, $15::bigint[]) END AS bucket, cell_start, "
      "operation, provider, model, record_count",
      sums,
      " FROM tokenusage.usage_rollup WHERE project = $1 AND "
      "cell_seconds = ",
      cell_seconds, " AND cell_start >= ", start, " AND cell_start < ", end,
      " AND ($12::text[] IS NULL OR operation = ANY($12::text[]))"
      " AND ($13::text[] IS NULL OR provider = ANY($13::text[]))"
      " AND ($14::text[] IS NULL OR model = ANY($14::text[]))");
}

// Selects the records of a window, in the columns of totals.
std::string EdgeSql(const char* start, const char* end) {
  return absl::StrCat(
      "SELECT event_time, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
      "NULL, record FROM tokenusage.usage_record WHERE project = $1 AND "
      "event_time >= ",
      start, " AND event_time < ", end);
}

std::string TotalsSql(TotalsGroup group) {
  std::string names;
  std::string keys = "bucket";
  const auto add = [&](bool grouped, const char* name) {
    absl::StrAppend(&names, ", ", grouped ? name : "NULL::text", " AS ", name);
    if (grouped) absl::StrAppend(&keys, ", c.", name);
  };
  add(group.operation, "operation");
  add(group.provider, "provider");
  add(group.model, "model");
  std::string sums;
  for (const char* sum : kTokenMeasureNames) {
    absl::StrAppend(&sums, ", sum(", sum, ")::text AS ", sum);
  }
  return absl::StrCat(
      "SELECT * FROM ((SELECT min(cell_start) * 1000000000 AS at", names,
      ", sum(record_count)::bigint AS record_count", sums,
      ", NULL::bytea AS record FROM (",
      BucketedRollupsSql(3600, "$2::bigint", "$3::bigint"), " UNION ALL ",
      BucketedRollupsSql(900, "$4::bigint", "$5::bigint"), " UNION ALL ",
      BucketedRollupsSql(900, "$6::bigint", "$7::bigint"), ") AS c GROUP BY ",
      keys, " ORDER BY ", keys, " LIMIT $16::bigint) UNION ALL (",
      EdgeSql("$8::bigint", "$9::bigint"), ") UNION ALL (",
      EdgeSql("$10::bigint", "$11::bigint"), ")) AS t ORDER BY at");
}

int GroupNumber(TotalsGroup group) {
  return (group.operation ? 4 : 0) + (group.provider ? 2 : 0) +
         (group.model ? 1 : 0);
}

// By GroupNumber.
const std::vector<PostgresStatement>& TotalsStatements() {
  static const auto* const statements = [] {
    auto* made = new std::vector<PostgresStatement>;
    for (int i = 0; i < 8; ++i) {
      made->push_back({absl::StrCat("select_totals_", i),
                       TotalsSql({(i & 4) != 0, (i & 2) != 0, (i & 1) != 0})});
    }
    return made;
  }();
  return *statements;
}

}  // namespace

#define TOKENUSAGE_STATEMENT(Function, name, sql)                          \
  const PostgresStatement& Function() {                                    \
    static const auto* const statement = new PostgresStatement{name, sql}; \
    return *statement;                                                     \
  }

TOKENUSAGE_STATEMENT(Begin, "begin", "BEGIN")
TOKENUSAGE_STATEMENT(Commit, "commit", "COMMIT")

TOKENUSAGE_STATEMENT(ShareProject, "share_project",
                     "SELECT incarnation, horizon FROM tokenusage.project "
                     "WHERE project = $1 FOR SHARE")

TOKENUSAGE_STATEMENT(LockProject, "lock_project",
                     "SELECT incarnation, horizon FROM tokenusage.project "
                     "WHERE project = $1 FOR UPDATE")

TOKENUSAGE_STATEMENT(
    InsertProject, "insert_project",
    "INSERT INTO tokenusage.project(project, incarnation, horizon) "
    "VALUES($1, $2, 0) ON CONFLICT (project) DO NOTHING")

TOKENUSAGE_STATEMENT(SelectSeries, "select_series",
                     "SELECT operation, provider, model "
                     "FROM tokenusage.series WHERE project = $1")

TOKENUSAGE_STATEMENT(FindSeries, "find_series",
                     "SELECT operation, provider, model "
                     "FROM tokenusage.series WHERE project = $1 "
                     "AND operation = ANY($2::text[]) "
                     "AND provider = ANY($3::text[]) "
                     "AND model = ANY($4::text[])")

TOKENUSAGE_STATEMENT(CountSeries, "count_series",
                     "SELECT count(*) FROM tokenusage.series "
                     "WHERE project = $1")

TOKENUSAGE_STATEMENT(
    InsertSeries, "insert_series",
    "INSERT INTO tokenusage.series(project, operation, provider, model) "
    "SELECT p.project, s.operation, s.provider, s.model "
    "FROM tokenusage.project AS p, unnest($2::text[], $3::text[], $4::text[]) "
    "AS s(operation, provider, model) WHERE p.project = $1 "
    "ON CONFLICT (project, operation, provider, model) DO NOTHING")

TOKENUSAGE_STATEMENT(
    InsertRecords, "insert_records",
    "INSERT INTO tokenusage.usage_record"
    "(project, record_id, event_time, record) "
    "SELECT p.project, r.record_id, r.event_time, r.record FROM "
    "tokenusage.project AS p, unnest($2::text[], $3::bigint[], $4::bytea[]) "
    "AS r(record_id, event_time, record) WHERE p.project = $1 "
    "ON CONFLICT (project, record_id) DO NOTHING RETURNING record_id")

TOKENUSAGE_STATEMENT(InsertProbe, "insert_probe",
                     "INSERT INTO tokenusage.usage_record"
                     "(project, record_id, event_time, record) "
                     "VALUES($1, $2, 0, $3)")

TOKENUSAGE_STATEMENT(SelectRecords, "select_records",
                     "SELECT record_id, record FROM tokenusage.usage_record "
                     "WHERE project = $1 AND record_id = ANY($2::text[])")

TOKENUSAGE_STATEMENT(AddToRollups, "add_to_rollups", RollupSql(/*add=*/true))
TOKENUSAGE_STATEMENT(SetRollups, "set_rollups", RollupSql(/*add=*/false))

TOKENUSAGE_STATEMENT(SelectRecord, "select_record",
                     "SELECT event_time, record FROM tokenusage.usage_record "
                     "WHERE project = $1 AND record_id = $2")

TOKENUSAGE_STATEMENT(ListRecords, "list_records",
                     "SELECT record FROM tokenusage.usage_record "
                     "WHERE project = $1 AND event_time < $2 "
                     "AND (event_time, record_id) > ($3::bigint, $4::text) "
                     "ORDER BY event_time, record_id LIMIT $5")

TOKENUSAGE_STATEMENT(ScanRecords, "scan_records",
                     "SELECT event_time, record FROM tokenusage.usage_record "
                     "WHERE project = $1 AND event_time >= $2 "
                     "AND event_time < $3 ORDER BY event_time")

TOKENUSAGE_STATEMENT(SelectHorizon, "select_horizon",
                     "SELECT horizon FROM tokenusage.project "
                     "WHERE project = $1")

TOKENUSAGE_STATEMENT(RaiseHorizon, "raise_horizon",
                     "UPDATE tokenusage.project "
                     "SET horizon = greatest(horizon, $2::bigint) "
                     "WHERE project = $1")

TOKENUSAGE_STATEMENT(SelectRetention, "select_retention",
                     "SELECT horizon, coalesce(retain_seconds, 0) "
                     "FROM tokenusage.project WHERE project = $1")

TOKENUSAGE_STATEMENT(SetRetention, "set_retention",
                     "UPDATE tokenusage.project "
                     "SET retain_seconds = nullif($2::bigint, 0) "
                     "WHERE project = $1")

TOKENUSAGE_STATEMENT(SelectProjects, "select_projects",
                     "SELECT project FROM tokenusage.project")

TOKENUSAGE_STATEMENT(
    RecordTimes, "record_times",
    "SELECT min(event_time), max(event_time) FROM tokenusage.usage_record "
    "WHERE project = $1")

TOKENUSAGE_STATEMENT(NthRecordTime, "nth_record_time",
                     "SELECT event_time FROM tokenusage.usage_record "
                     "WHERE project = $1 AND event_time >= $2 "
                     "ORDER BY event_time OFFSET $3 LIMIT 1")

TOKENUSAGE_STATEMENT(CountRecordsBefore, "count_records_before",
                     "SELECT count(*) FROM tokenusage.usage_record "
                     "WHERE project = $1 AND event_time < $2")

TOKENUSAGE_STATEMENT(CheckRecords, "check_records",
                     "SELECT event_time, record_id, record "
                     "FROM tokenusage.usage_record WHERE project = $1 "
                     "AND event_time >= $2 AND event_time < $3 "
                     "ORDER BY event_time")

TOKENUSAGE_STATEMENT(
    SelectRollups, "select_rollups",
    "SELECT cell_start, operation, provider, model, record_count, "
    "total_tokens::text, input_tokens::text, output_tokens::text, "
    "input_text_tokens::text, input_image_tokens::text "
    "FROM tokenusage.usage_rollup WHERE project = $1 "
    "AND cell_seconds = $2 AND cell_start >= $3 AND cell_start < $4 "
    "ORDER BY cell_start, operation, provider, model")

TOKENUSAGE_STATEMENT(DeleteRecordsBefore, "delete_records_before",
                     "DELETE FROM tokenusage.usage_record "
                     "WHERE project = $1 AND event_time < $2")

TOKENUSAGE_STATEMENT(DeleteRollupsFrom, "delete_rollups_from",
                     "DELETE FROM tokenusage.usage_rollup "
                     "WHERE project = $1 AND cell_start >= $2")

TOKENUSAGE_STATEMENT(DeleteSeries, "delete_series",
                     "DELETE FROM tokenusage.series WHERE project = $1")

TOKENUSAGE_STATEMENT(DeleteProject, "delete_project",
                     "DELETE FROM tokenusage.project WHERE project = $1")

TOKENUSAGE_STATEMENT(SelectBookmark, "select_bookmark",
                     "SELECT value FROM tokenusage.property WHERE name = $1")

TOKENUSAGE_STATEMENT(SetBookmark, "set_bookmark",
                     "INSERT INTO tokenusage.property(name, value) "
                     "VALUES($1, $2) ON CONFLICT (name) "
                     "DO UPDATE SET value = excluded.value")

TOKENUSAGE_STATEMENT(BeginSnapshot, "begin_snapshot",
                     "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

const PostgresStatement& SelectTotals(TotalsGroup group) {
  return TotalsStatements()[static_cast<std::size_t>(GroupNumber(group))];
}

std::vector<PostgresStatement> AllStatements() {
  std::vector<PostgresStatement> all = TotalsStatements();
  for (auto* function : {&Begin,
                         &Commit,
                         &ShareProject,
                         &LockProject,
                         &InsertProject,
                         &SelectSeries,
                         &FindSeries,
                         &CountSeries,
                         &InsertSeries,
                         &InsertRecords,
                         &InsertProbe,
                         &SelectRecords,
                         &AddToRollups,
                         &SelectRecord,
                         &ListRecords,
                         &ScanRecords,
                         &SelectHorizon,
                         &RaiseHorizon,
                         &SelectRetention,
                         &SetRetention,
                         &SelectProjects,
                         &RecordTimes,
                         &NthRecordTime,
                         &CountRecordsBefore,
                         &CheckRecords,
                         &SelectRollups,
                         &DeleteRecordsBefore,
                         &DeleteRollupsFrom,
                         &DeleteSeries,
                         &DeleteProject,
                         &BeginSnapshot,
                         &SetRollups,
                         &SelectBookmark,
                         &SetBookmark}) {
    all.push_back((*function)());
  }
  return all;
}

}  // namespace tokenusage::postgres_sql
