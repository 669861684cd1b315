// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/table/sql.h"

#include <deque>

#include "absl/strings/str_cat.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage::postgres_sql {
namespace {

struct SumColumn {
  std::string name;
  bool is_amount = false;    // numeric, else bigint
  bool is_nullable = false;  // NULL if no record states the measure
};

// See kSumColumns.
const std::vector<SumColumn>& SumColumns() {
  static const auto* const columns = [] {
    auto* made = new std::vector<SumColumn>{{"record_count"},
                                            {"inconsistent_record_count"},
                                            {"unknown_usage_record_count"}};
    for (int number = 1; number <= kMaxUsageMeasure; ++number) {
      const std::string name(
          MeasureColumn(static_cast<v1::UsageMeasure>(number)));
      made->push_back({name + "_records", false, true});
      made->push_back({name, true, true});
    }
    return made;
  }();
  return *columns;
}

std::string SumColumnNames() {
  std::string names;
  for (const SumColumn& column : SumColumns()) {
    absl::StrAppend(&names, ", ", column.name);
  }
  return names;
}

enum class Upsert { kAdd, kChange, kSet };

// Returns what a column becomes. NULL counts as 0, unless both are NULL.
std::string UpsertValue(const SumColumn& column, Upsert how) {
  const auto sum = [](const std::string& name) {
    return absl::StrCat("coalesce(r.", name, " + excluded.", name, ", r.", name,
                        ", excluded.", name, ")");
  };
  if (how == Upsert::kSet) return absl::StrCat("excluded.", column.name);
  if (!column.is_nullable) {
    return absl::StrCat("r.", column.name, " + excluded.", column.name);
  }
  if (how == Upsert::kAdd) return sum(column.name);
  // A measure that no record states any more is NULL.
  if (!column.is_amount)
    return absl::StrCat("nullif(", sum(column.name), ", 0)");
  return absl::StrCat("CASE WHEN ", sum(column.name + "_records"),
                      " <> 0 THEN ", sum(column.name), " END");
}

bool IsByLabel(Family family) { return family == Family::kByLabel; }

std::string RollupTable(Family family) {
  return IsByLabel(family) ? "tokenusage.usage_label_rollup"
                           : "tokenusage.usage_rollup";
}

// Returns the statement that adds to existing rollups, changes or replaces
// them.
std::string RollupSql(Upsert how, Family family) {
  std::string parameters;
  std::string values;
  std::string updates;
  const bool by_label = IsByLabel(family);
  int number = by_label ? 7 : 6;
  for (const SumColumn& column : SumColumns()) {
    const auto& [name, is_amount, is_nullable] = column;
    absl::StrAppend(&parameters, ", $", ++number,
                    is_amount ? "::text[]" : "::bigint[]");
    absl::StrAppend(&values, ", c.", name, is_amount ? "::numeric" : "");
    absl::StrAppend(&updates, updates.empty() ? "" : ", ", name, " = ",
                    UpsertValue(column, how));
  }
  const std::string names = SumColumnNames();
  const char* const labels = by_label ? ", labels" : "";
  return absl::StrCat(
      "INSERT INTO ", RollupTable(family),
      " AS r(project, cell_seconds, cell_start, operation, provider, model",
      labels, names,
      ") SELECT p.project, c.cell_seconds, c.cell_start, c.operation, "
      "c.provider, c.model",
      by_label ? ", c.labels" : "", values,
      " FROM tokenusage.project AS p, unnest($2::bigint[], $3::bigint[], "
      "$4::text[], $5::text[], $6::text[]",
      by_label ? ", $7::text[]" : "", parameters,
      ") AS c(cell_seconds, cell_start, operation, provider, model", labels,
      names,
      ") WHERE p.project = $1 ON CONFLICT (project, cell_seconds, cell_start",
      labels, ", operation, provider, model) DO UPDATE SET ", updates,
      how == Upsert::kChange ? " RETURNING cell_start, record_count" : "");
}

std::string SelectRollupsSql(Family family) {
  std::string sums;
  for (const SumColumn& column : SumColumns()) {
    absl::StrAppend(&sums, ", ", column.name, column.is_amount ? "::text" : "");
  }
  const char* const labels = IsByLabel(family) ? ", labels" : "";
  return absl::StrCat(
      "SELECT cell_start, operation, provider, model", labels, sums, " FROM ",
      RollupTable(family),
      " WHERE project = $1 "
      "AND cell_seconds = $2 AND cell_start >= $3 AND cell_start < $4 "
      "ORDER BY cell_start, operation, provider, model",
      labels);
}

// Returns a SELECT of the rollups of one cell length in a window, with the
// bucket of each.
std::string BucketedRollupsSql(Family family, int cell_seconds,
                               const char* start, const char* end) {
  return absl::StrCat(
      "SELECT CASE WHEN $15::bigint[] IS NULL THEN cell_start ELSE "
      "width_bucket(cell_start, $15::bigint[]) END AS bucket, cell_start, "
      "operation, provider, model",
      IsByLabel(family) ? ", labels" : "", SumColumnNames(), " FROM ",
      RollupTable(family),
      " WHERE project = $1 AND cell_seconds = ", cell_seconds,
      " AND cell_start >= ", start, " AND cell_start < ", end,
      " AND ($12::text[] IS NULL OR operation = ANY($12::text[]))"
      " AND ($13::text[] IS NULL OR provider = ANY($13::text[]))"
      " AND ($14::text[] IS NULL OR model = ANY($14::text[]))",
      IsByLabel(family)
          ? " AND ($17::text[] IS NULL OR labels = ANY($17::text[]))"
          : "");
}

// Returns a SELECT of the records of a window that are not corrected, in the
// columns of totals.
std::string EdgeSql(const char* start, const char* end) {
  std::string nulls;
  for (int i = 0; i < kSumColumns; ++i) absl::StrAppend(&nulls, ", NULL");
  return absl::StrCat("SELECT event_time, NULL, NULL, NULL, NULL", nulls,
                      ", record FROM tokenusage.usage_record AS r "
                      "WHERE project = $1 AND event_time >= ",
                      start, " AND event_time < ", end,
                      " AND " TOKENUSAGE_CORRECTED_BY " IS NULL");
}

std::string TotalsSql(TotalsGroup group, Family family) {
  std::string names;
  std::string keys = "bucket";
  const auto add = [&](bool grouped, const char* name) {
    absl::StrAppend(&names, ", ", grouped ? name : "NULL::text", " AS ", name);
    if (grouped) absl::StrAppend(&keys, ", c.", name);
  };
  add(group.operation, "operation");
  add(group.provider, "provider");
  add(group.model, "model");
  add(IsByLabel(family), "labels");
  const int largest_cell = IsByLabel(family) ? 2678400 : 3600;
  std::string sums;
  for (const SumColumn& column : SumColumns()) {
    absl::StrAppend(&sums, ", sum(", column.name,
                    column.is_amount ? ")::text" : ")::bigint");
  }
  return absl::StrCat(
      "SELECT * FROM ((SELECT min(cell_start) * 1000000000 AS at", names, sums,
      ", NULL::bytea AS record FROM (",
      BucketedRollupsSql(family, largest_cell, "$2::bigint", "$3::bigint"),
      " UNION ALL ",
      BucketedRollupsSql(family, 900, "$4::bigint", "$5::bigint"),
      " UNION ALL ",
      BucketedRollupsSql(family, 900, "$6::bigint", "$7::bigint"),
      ") AS c GROUP BY ", keys, " ORDER BY ", keys,
      " LIMIT $16::bigint + 2 * (SELECT count(*) FROM tokenusage.series "
      "WHERE project = $1)) UNION ALL (",
      EdgeSql("$8::bigint", "$9::bigint"), ") UNION ALL (",
      EdgeSql("$10::bigint", "$11::bigint"), ")) AS t ORDER BY at");
}

std::size_t GroupNumber(TotalsGroup group) {
  return (group.operation ? 4 : 0) + (group.provider ? 2 : 0) +
         (group.model ? 1 : 0);
}

// The statements on the rollups of one family.
struct FamilyStatements {
  explicit FamilyStatements(Family family) {
    const auto made = [&](const std::string& name, const std::string& sql) {
      const char* const kept =
          texts.emplace_back(name + (IsByLabel(family) ? "_by_label" : ""))
              .c_str();
      return PostgresStatement{kept, texts.emplace_back(sql).c_str()};
    };
    add = made("add_to_rollups", RollupSql(Upsert::kAdd, family));
    set = made("set_rollups", RollupSql(Upsert::kSet, family));
    change = made("change_rollups", RollupSql(Upsert::kChange, family));
    select = made("select_rollups", SelectRollupsSql(family));
    for (int i = 0; i < 8; ++i) {
      const TotalsGroup group = {(i & 4) != 0, (i & 2) != 0, (i & 1) != 0};
      totals.push_back(
          made(absl::StrCat("select_totals_", i), TotalsSql(group, family)));
    }
  }

  std::deque<std::string> texts;  // that the statements point to
  PostgresStatement add;
  PostgresStatement set;
  PostgresStatement change;
  PostgresStatement select;
  std::vector<PostgresStatement> totals;  // by GroupNumber
};

const FamilyStatements& StatementsOf(Family family) {
  static const auto* const plain = new FamilyStatements(Family::kPlain);
  static const auto* const by_label = new FamilyStatements(Family::kByLabel);
  return IsByLabel(family) ? *by_label : *plain;
}

}  // namespace

std::string_view MeasureColumn(v1::UsageMeasure measure) {
  return v1::TokenUsage::descriptor()->FindFieldByNumber(measure)->name();
}

const PostgresStatement& AddToRollups(Family family) {
  return StatementsOf(family).add;
}

const PostgresStatement& SetRollups(Family family) {
  return StatementsOf(family).set;
}

const PostgresStatement& ChangeRollups(Family family) {
  return StatementsOf(family).change;
}

const PostgresStatement& SelectRollups(Family family) {
  return StatementsOf(family).select;
}

const PostgresStatement& SelectTotals(TotalsGroup group, Family family) {
  return StatementsOf(family).totals[GroupNumber(group)];
}

std::vector<PostgresStatement> AllStatements() {
  std::vector<PostgresStatement> all;
  for (const Family family : {Family::kPlain, Family::kByLabel}) {
    const FamilyStatements& of = StatementsOf(family);
    all.insert(all.end(), {of.add, of.set, of.change, of.select});
    all.insert(all.end(), of.totals.begin(), of.totals.end());
  }
  all.insert(all.end(), {kBegin,
                         kCommit,
                         kShareProject,
                         kLockProject,
                         kShareLabels,
                         kLockLabels,
                         kSelectLabels,
                         kInsertProject,
                         kSelectSeries,
                         kFindSeries,
                         kCountSeries,
                         kSelectLabelSets,
                         kFindLabelSets,
                         kInsertLabelSets,
                         kDeleteEmptyLabelRollups,
                         kSetLabels,
                         kSetLabelsFrom,
                         kFindLabelRollupsBefore,
                         kLabelRollupTimes,
                         kDeleteLabelRollupsFrom,
                         kDeleteLabelSets,
                         kInsertSeries,
                         kInsertRecords,
                         kInsertProbe,
                         kInsertCorrections,
                         kDeleteEmptyRollups,
                         kSelectRecords,
                         kDeleteCorrections,
                         kDeleteRecords,
                         kAddDeletion,
                         kCountDeletions,
                         kSelectDeletions,
                         kSelectRecord,
                         kListRecords,
                         kListInconsistent,
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
                         kCheckCorrections,
                         kToggleInconsistent,
                         kDeleteRecordsBefore,
                         kDeleteCorrectionsBefore,
                         kDeleteRollupsFrom,
                         kDeleteSeries,
                         kDeleteProject,
                         kSelectBookmark,
                         kSetBookmark,
                         kBeginSnapshot});
  return all;
}

}  // namespace tokenusage::postgres_sql
