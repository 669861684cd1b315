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
      "operation, provider, model) DO UPDATE SET record_count = ",
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
      auto* name = new std::string(absl::StrCat("select_totals_", i));
      auto* sql = new std::string(
          TotalsSql({(i & 4) != 0, (i & 2) != 0, (i & 1) != 0}));
      made->push_back({name->c_str(), sql->c_str()});
    }
    return made;
  }();
  return *statements;
}

}  // namespace

const PostgresStatement& AddToRollups() {
  static const auto* const sql = new std::string(RollupSql(/*add=*/true));
  static const PostgresStatement statement = {"add_to_rollups", sql->c_str()};
  return statement;
}

const PostgresStatement& SetRollups() {
  static const auto* const sql = new std::string(RollupSql(/*add=*/false));
  static const PostgresStatement statement = {"set_rollups", sql->c_str()};
  return statement;
}

const PostgresStatement& SelectTotals(TotalsGroup group) {
  return TotalsStatements()[static_cast<std::size_t>(GroupNumber(group))];
}

std::vector<PostgresStatement> AllStatements() {
  std::vector<PostgresStatement> all = TotalsStatements();
  all.insert(all.end(), {AddToRollups(),
                         SetRollups(),
                         kBegin,
                         kCommit,
                         kShareProject,
                         kLockProject,
                         kInsertProject,
                         kSelectSeries,
                         kFindSeries,
                         kCountSeries,
                         kInsertSeries,
                         kInsertRecords,
                         kInsertProbe,
                         kSelectRecords,
                         kSelectRecord,
                         kListRecords,
                         kScanRecords,
                         kSelectHorizon,
                         kRaiseHorizon,
                         kSelectRetention,
                         kSetRetention,
                         kSelectProjects,
                         kRecordTimes,
                         kNthRecordTime,
                         kCountRecordsBefore,
                         kCheckRecords,
                         kSelectRollups,
                         kDeleteRecordsBefore,
                         kDeleteRollupsFrom,
                         kDeleteSeries,
                         kDeleteProject,
                         kSelectBookmark,
                         kSetBookmark,
                         kBeginSnapshot});
  return all;
}

}  // namespace tokenusage::postgres_sql
