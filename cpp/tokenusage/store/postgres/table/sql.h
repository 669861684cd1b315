// SPDX-License-Identifier: Apache-2.0

// Every statement that runs on PostgreSQL, except those of connection.cc, which
// set up a session, and of schema.cc, on tables and properties.
//
//   connection->Send(postgres_sql::kBegin);
//   connection->Send(postgres_sql::kLockProject, params);
//
// The same text runs on plain PostgreSQL and on Citus, where the tables are
// distributed by project: so each statement on them names one project,
// `project` is in every key and every join, and no statement uses a temporary
// table, a function that is not immutable in DO UPDATE, or a sequence. Buckets
// and times are computed by the client. tests/store/postgres/sql_test.cc
// enforces this.

#ifndef TOKENUSAGE_STORE_POSTGRES_TABLE_SQL_H_
#define TOKENUSAGE_STORE_POSTGRES_TABLE_SQL_H_

#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage::postgres_sql {

// The comments list parameters -> columns.

// The rollups without labels, or those by label.
enum class Family { kPlain, kByLabel };

// The columns of a sum: record_count, inconsistent_record_count,
// unknown_usage_record_count; then, for each measure by its number, how many
// records state it, and the amount as a decimal: NULL if none does.
inline constexpr int kSumColumns = 3 + 2 * kMaxUsageMeasure;

// Returns the name of the column with a measure's amounts. The column with the
// number of records has this name and "_records".
std::string_view MeasureColumn(v1::UsageMeasure measure);

inline constexpr PostgresStatement kBegin = {"begin", "BEGIN"};
inline constexpr PostgresStatement kCommit = {"commit", "COMMIT"};

// ------------------------------------------------------------------- appends

// $1 project -> incarnation, horizon (seconds), rollup_labels. Locks the
// project's row until the transaction ends: kShareProject shared with others,
// kLockProject exclusively.
inline constexpr PostgresStatement kShareProject = {
    "share_project",
    "SELECT incarnation, horizon, rollup_labels FROM tokenusage.project "
    "WHERE project = $1 FOR SHARE"};
inline constexpr PostgresStatement kLockProject = {
    "lock_project",
    "SELECT incarnation, horizon, rollup_labels FROM tokenusage.project "
    "WHERE project = $1 FOR UPDATE"};

// Locks the rollup_labels of new projects until the transaction ends:
// kShareLabels shared with others, kLockLabels exclusively. These do not lock
// the row in `property`: Citus locks a row of a reference table on all nodes,
// which can deadlock, but takes advisory locks on the coordinator only.
inline constexpr PostgresStatement kShareLabels = {
    "share_labels", "SELECT pg_advisory_xact_lock_shared(1953459055)"};
inline constexpr PostgresStatement kLockLabels = {
    "lock_labels", "SELECT pg_advisory_xact_lock(1953459055)"};

// -> the rollup_labels of new projects.
inline constexpr PostgresStatement kSelectLabels = {
    "select_labels",
    "SELECT value FROM tokenusage.property WHERE name = 'rollup_labels'"};

// $1 project, $2 incarnation, $3 rollup_labels. Adds the project, unless it
// exists.
inline constexpr PostgresStatement kInsertProject = {
    "insert_project",
    "INSERT INTO tokenusage.project(project, incarnation, horizon, "
    "rollup_labels) VALUES($1, $2, 0, $3) ON CONFLICT (project) DO NOTHING"};

// $1 project -> operation, provider, model.
inline constexpr PostgresStatement kSelectSeries = {
    "select_series",
    "SELECT operation, provider, model "
    "FROM tokenusage.series WHERE project = $1"};

// $1 project, $2 operations, $3 providers, $4 models -> operation, provider,
// model of those series that have one of each.
inline constexpr PostgresStatement kFindSeries = {
    "find_series",
    "SELECT operation, provider, model "
    "FROM tokenusage.series WHERE project = $1 "
    "AND operation = ANY($2::text[]) AND provider = ANY($3::text[]) "
    "AND model = ANY($4::text[])"};

// $1 project -> the number of its series and label sets.
inline constexpr PostgresStatement kCountSeries = {
    "count_series",
    "SELECT count(*) FROM (SELECT project FROM tokenusage.series "
    "WHERE project = $1 UNION ALL SELECT project FROM tokenusage.label_set "
    "WHERE project = $1) AS s"};

// $1 project -> labels of all its label sets.
inline constexpr PostgresStatement kSelectLabelSets = {
    "select_label_sets",
    "SELECT labels FROM tokenusage.label_set WHERE project = $1"};

// $1 project, $2 labels -> those of them that the project has.
inline constexpr PostgresStatement kFindLabelSets = {
    "find_label_sets",
    "SELECT labels FROM tokenusage.label_set WHERE project = $1 "
    "AND labels = ANY($2::text[])"};

// $1 project, $2 labels.
inline constexpr PostgresStatement kInsertLabelSets = {
    "insert_label_sets",
    "INSERT INTO tokenusage.label_set(project, labels) "
    "SELECT p.project, s.labels FROM tokenusage.project AS p, "
    "unnest($2::text[]) AS s(labels) WHERE p.project = $1 "
    "ON CONFLICT (project, labels) DO NOTHING"};

// $1 project, $2 operations, $3 providers, $4 models.
inline constexpr PostgresStatement kInsertSeries = {
    "insert_series",
    "INSERT INTO tokenusage.series(project, operation, provider, model) "
    "SELECT p.project, s.operation, s.provider, s.model "
    "FROM tokenusage.project AS p, unnest($2::text[], $3::text[], $4::text[]) "
    "AS s(operation, provider, model) WHERE p.project = $1 "
    "ON CONFLICT (project, operation, provider, model) DO NOTHING"};

// $1 project, $2 record ids, $3 event times (ns), $4 whether they contradict
// themselves, $5 records -> the ids that were inserted.
inline constexpr PostgresStatement kInsertRecords = {
    "insert_records",
    "INSERT INTO tokenusage.usage_record"
    "(project, record_id, event_time, inconsistent, record) "
    "SELECT p.project, r.record_id, r.event_time, r.inconsistent, r.record "
    "FROM tokenusage.project AS p, unnest($2::text[], $3::bigint[], "
    "$4::boolean[], $5::bytea[]) AS r(record_id, event_time, inconsistent, "
    "record) WHERE p.project = $1 "
    "ON CONFLICT (project, record_id) DO NOTHING RETURNING record_id"};

// $1 project, $2 record id, $3 bytes. Inserts a placeholder row, which must be
// rolled back.
inline constexpr PostgresStatement kInsertProbe = {
    "insert_probe",
    "INSERT INTO tokenusage.usage_record"
    "(project, record_id, event_time, inconsistent, record) "
    "VALUES($1, $2, 0, false, $3)"};

// The record_id of the record that corrects the one in `r`; NULL if none does.
// Not a join: whatever the planner knows of the tables, this is a look-up by
// key.
#define TOKENUSAGE_CORRECTED_BY                      \
  "(SELECT corrected_by FROM tokenusage.correction " \
  "WHERE project = $1 AND record_id = r.record_id)"

// $1 project, $2 record ids -> record_id, record, corrected_by of those that
// exist.
inline constexpr PostgresStatement kSelectRecords = {
    "select_records", "SELECT record_id, record, " TOKENUSAGE_CORRECTED_BY
                      " FROM tokenusage.usage_record AS r "
                      "WHERE project = $1 AND record_id = ANY($2::text[])"};

// $1 project, $2 record ids. Delete the records, and what corrects them;
// kDeleteCorrections runs first.
inline constexpr PostgresStatement kDeleteCorrections = {
    "delete_corrections",
    "DELETE FROM tokenusage.correction "
    "WHERE project = $1 AND record_id = ANY($2::text[])"};
inline constexpr PostgresStatement kDeleteRecords = {
    "delete_records",
    "DELETE FROM tokenusage.usage_record "
    "WHERE project = $1 AND record_id = ANY($2::text[])"};

// $1 project, $2 record ids, $3 their event times (ns), $4 what corrects them.
inline constexpr PostgresStatement kInsertCorrections = {
    "insert_corrections",
    "INSERT INTO tokenusage.correction"
    "(project, record_id, event_time, corrected_by) "
    "SELECT p.project, c.record_id, c.event_time, c.corrected_by "
    "FROM tokenusage.project AS p, unnest($2::text[], $3::bigint[], "
    "$4::text[]) AS c(record_id, event_time, corrected_by) "
    "WHERE p.project = $1"};

// $1 project, $2 cell_seconds, $3 cell_start, $4 operation, $5 provider,
// $6 model, by label $7 labels, then the columns of a sum: arrays with one
// element per rollup. AddToRollups adds to existing rollups, SetRollups
// replaces them. ChangeRollups adds numbers that may be negative -> cell_start,
// record_count of each rollup; those of no records are left for
// kDeleteEmptyRollups.
const PostgresStatement& AddToRollups(Family family);
const PostgresStatement& SetRollups(Family family);
const PostgresStatement& ChangeRollups(Family family);

// $1 project, $2 cell_starts.
inline constexpr PostgresStatement kDeleteEmptyLabelRollups = {
    "delete_empty_label_rollups",
    "DELETE FROM tokenusage.usage_label_rollup WHERE project = $1 "
    "AND cell_seconds = ANY('{900,2678400}'::bigint[]) "
    "AND cell_start = ANY($2::bigint[]) AND record_count = 0"};
inline constexpr PostgresStatement kDeleteEmptyRollups = {
    "delete_empty_rollups",
    "DELETE FROM tokenusage.usage_rollup WHERE project = $1 "
    "AND cell_seconds = ANY('{900,3600}'::bigint[]) "
    "AND cell_start = ANY($2::bigint[]) AND record_count = 0"};

// --------------------------------------------------------------------- reads

// $1 project, $2 record id -> event_time, record, corrected_by.
inline constexpr PostgresStatement kSelectRecord = {
    "select_record", "SELECT event_time, record, " TOKENUSAGE_CORRECTED_BY
                     " FROM tokenusage.usage_record AS r "
                     "WHERE project = $1 AND record_id = $2"};

// $1 project, $2 end (ns), $3 time (ns) and $4 record id to start after,
// $5 the most records, or NULL for all -> record, corrected_by. Of all records,
// or of those that contradict themselves.
inline constexpr PostgresStatement kListRecords = {
    "list_records", "SELECT record, " TOKENUSAGE_CORRECTED_BY
                    " FROM tokenusage.usage_record AS r "
                    "WHERE project = $1 AND event_time < $2 "
                    "AND (event_time, record_id) > ($3::bigint, $4::text) "
                    "ORDER BY event_time, record_id LIMIT $5"};
inline constexpr PostgresStatement kListInconsistent = {
    "list_inconsistent",
    "SELECT record, " TOKENUSAGE_CORRECTED_BY
    " FROM tokenusage.usage_record AS r "
    "WHERE project = $1 AND inconsistent AND event_time < $2 "
    "AND (event_time, record_id) > ($3::bigint, $4::text) "
    "ORDER BY event_time, record_id LIMIT $5"};

// $1 project, $2 start, $3 end (ns) -> event_time, record of those that are not
// corrected, in order of time.
inline constexpr PostgresStatement kScanRecords = {
    "scan_records",
    "SELECT event_time, record FROM tokenusage.usage_record AS r "
    "WHERE project = $1 AND event_time >= $2 AND event_time < $3 "
    "AND " TOKENUSAGE_CORRECTED_BY " IS NULL ORDER BY event_time"};

// The fields of operation, provider and model that totals are grouped by.
struct TotalsGroup {
  bool operation = false;
  bool provider = false;
  bool model = false;
};

// Totals of a project.
//
// $1 project; [$2, $3) is read from hours, or by label from months, [$4, $5)
// and [$6, $7) from quarter hours (seconds), [$8, $9) and [$10, $11) from
// records (ns). $12, $13, $14: the operations, providers, models to count, or
// NULL for all; records are not filtered. $15: the starts of the buckets
// (seconds, ascending), or NULL for each cell by itself; $16: the most rows of
// totals, to which twice the number of series is added, or NULL for all. By
// label, $17: the label sets to count, or NULL for all.
//
// -> the time (ns) of a cell in the row's bucket, or of a record; operation,
// provider, model (NULL if not grouped by); labels, which are NULL unless by
// label; the columns of a sum; then the record, which is NULL in rows of
// totals. In order of time.
const PostgresStatement& SelectTotals(TotalsGroup group, Family family);

// -------------------------------------------------------------- whole database

// $1 project -> horizon and labels_from (seconds, 0 if there is none), and
// rollup_labels.
inline constexpr PostgresStatement kSelectHorizon = {
    "select_horizon",
    "SELECT horizon, labels_from, rollup_labels FROM tokenusage.project "
    "WHERE project = $1"};

// $1 project, $2 rollup_labels, $3 incarnation. Rollups by label begin at the
// horizon.
inline constexpr PostgresStatement kSetLabels = {
    "set_labels",
    "UPDATE tokenusage.project SET rollup_labels = $2, labels_from = horizon, "
    "incarnation = $3 WHERE project = $1"};

// $1 project, $2 labels_from.
inline constexpr PostgresStatement kSetLabelsFrom = {
    "set_labels_from",
    "UPDATE tokenusage.project SET labels_from = $2 WHERE project = $1"};

// $1 project, $2 end (seconds) -> a row if there are rollups by label before.
inline constexpr PostgresStatement kFindLabelRollupsBefore = {
    "find_label_rollups_before",
    "SELECT cell_start FROM tokenusage.usage_label_rollup "
    "WHERE project = $1 AND cell_seconds = 900 AND cell_start < $2 LIMIT 1"};

// $1 project -> the first and last cell_start of its rollups by label; NULL if
// there are none.
inline constexpr PostgresStatement kLabelRollupTimes = {
    "label_rollup_times",
    "SELECT min(cell_start), max(cell_start) FROM "
    "tokenusage.usage_label_rollup WHERE project = $1"};

// $1 project -> horizon (seconds), the project's own retention (seconds), 0 if
// it has none.
inline constexpr PostgresStatement kSelectRetention = {
    "select_retention",
    "SELECT horizon, coalesce(retain_seconds, 0) "
    "FROM tokenusage.project WHERE project = $1"};

// $1 project, $2 retention (seconds), 0 for none.
inline constexpr PostgresStatement kSetRetention = {
    "set_retention",
    "UPDATE tokenusage.project SET retain_seconds = nullif($2::bigint, 0) "
    "WHERE project = $1"};

// $1 project, $2 horizon (seconds). Moves the horizon forward, never back.
inline constexpr PostgresStatement kRaiseHorizon = {
    "raise_horizon",
    "UPDATE tokenusage.project "
    "SET horizon = greatest(horizon, $2::bigint) "
    "WHERE project = $1"};

// -> the name and horizon (seconds) of every project. This and kSelectDeletions
// are the only statements on all projects.
inline constexpr PostgresStatement kSelectProjects = {
    "select_projects", "SELECT project, horizon FROM tokenusage.project"};

// $1 project -> the first and last event_time (ns), NULL if there are no
// records.
inline constexpr PostgresStatement kRecordTimes = {
    "record_times",
    "SELECT min(event_time), max(event_time) FROM tokenusage.usage_record "
    "WHERE project = $1"};

// $1 project, $2 from (ns), $3 n -> the event_time of the n-th record (from 0)
// at or after that time; no row if there are fewer.
inline constexpr PostgresStatement kNthRecordTime = {
    "nth_record_time",
    "SELECT event_time FROM tokenusage.usage_record "
    "WHERE project = $1 AND event_time >= $2 "
    "ORDER BY event_time OFFSET $3 LIMIT 1"};

// $1 project, $2 end (ns) -> the number of records before it.
inline constexpr PostgresStatement kCountRecordsBefore = {
    "count_records_before",
    "SELECT count(*) FROM tokenusage.usage_record "
    "WHERE project = $1 AND event_time < $2"};

// $1 project, $2 start, $3 end (ns) -> event_time, record_id, record,
// inconsistent, corrected_by, in order of time.
inline constexpr PostgresStatement kCheckRecords = {
    "check_records",
    "SELECT event_time, record_id, record, "
    "inconsistent, " TOKENUSAGE_CORRECTED_BY
    " FROM tokenusage.usage_record AS r "
    "WHERE project = $1 AND event_time >= $2 AND event_time < $3 "
    "ORDER BY event_time"};

// $1 project -> record_id of rows in `correction` without their record, at the
// time that they give.
inline constexpr PostgresStatement kCheckCorrections = {
    "check_corrections",
    "SELECT record_id FROM tokenusage.correction AS c WHERE project = $1 "
    "AND NOT EXISTS (SELECT FROM tokenusage.usage_record WHERE project = $1 "
    "AND record_id = c.record_id AND event_time = c.event_time) "
    "ORDER BY record_id"};

// $1 project, $2 record ids. Changes whether they are marked as contradicting
// themselves.
inline constexpr PostgresStatement kToggleInconsistent = {
    "toggle_inconsistent",
    "UPDATE tokenusage.usage_record SET inconsistent = NOT inconsistent "
    "WHERE project = $1 AND record_id = ANY($2::text[])"};

// $1 project, $2 cell_seconds, $3 start, $4 end (seconds) -> cell_start,
// operation, provider, model, by label labels, and the columns of a sum.
// Ordered by the columns before the sum.
const PostgresStatement& SelectRollups(Family family);

// $1 project, $2 a time. Delete records before it (ns), what corrects them,
// rollups from it on (seconds); of those by label, the months from $3 on.
inline constexpr PostgresStatement kDeleteRecordsBefore = {
    "delete_records_before",
    "DELETE FROM tokenusage.usage_record "
    "WHERE project = $1 AND event_time < $2"};
inline constexpr PostgresStatement kDeleteCorrectionsBefore = {
    "delete_corrections_before",
    "DELETE FROM tokenusage.correction "
    "WHERE project = $1 AND event_time < $2"};
inline constexpr PostgresStatement kDeleteRollupsFrom = {
    "delete_rollups_from",
    "DELETE FROM tokenusage.usage_rollup "
    "WHERE project = $1 AND cell_start >= $2"};
inline constexpr PostgresStatement kDeleteLabelRollupsFrom = {
    "delete_label_rollups_from",
    "DELETE FROM tokenusage.usage_label_rollup WHERE project = $1 "
    "AND (cell_seconds = 900 AND cell_start >= $2 "
    "OR cell_seconds = 2678400 AND cell_start >= $3)"};

// $1 project.
inline constexpr PostgresStatement kDeleteLabelSets = {
    "delete_label_sets", "DELETE FROM tokenusage.label_set WHERE project = $1"};
inline constexpr PostgresStatement kDeleteSeries = {
    "delete_series", "DELETE FROM tokenusage.series WHERE project = $1"};
inline constexpr PostgresStatement kDeleteProject = {
    "delete_project", "DELETE FROM tokenusage.project WHERE project = $1"};

// $1 name, $2 value (kSetBookmark): how far a copy of another database has
// come.
inline constexpr PostgresStatement kSelectBookmark = {
    "select_bookmark",
    "SELECT value::bigint FROM tokenusage.property WHERE name = $1"};
inline constexpr PostgresStatement kSetBookmark = {
    "set_bookmark",
    "INSERT INTO tokenusage.property(name, value) "
    "VALUES($1, $2::bigint) ON CONFLICT (name) "
    "DO UPDATE SET value = excluded.value"};

// $1 project, $2 deletion_id, $3 start_time (seconds), $4 selection, $5 the
// number of records, which is added to that of a deletion that exists.
inline constexpr PostgresStatement kAddDeletion = {
    "add_deletion",
    "INSERT INTO tokenusage.deletion AS d"
    "(project, deletion_id, start_time, selection, record_count) "
    "VALUES($1, $2, $3, $4, $5) ON CONFLICT (project, deletion_id) "
    "DO UPDATE SET record_count = d.record_count + excluded.record_count"};

// $1 project, $2 a selection -> the number of deletions by other selections.
inline constexpr PostgresStatement kCountDeletions = {
    "count_deletions",
    "SELECT count(*) FROM tokenusage.deletion "
    "WHERE project = $1 AND selection <> $2"};

// -> start_time, project, selection, record_count of all projects' deletions.
inline constexpr PostgresStatement kSelectDeletions = {
    "select_deletions",
    "SELECT start_time, project, selection, record_count "
    "FROM tokenusage.deletion"};

// Begins a transaction that reads one snapshot.
inline constexpr PostgresStatement kBeginSnapshot = {
    "begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};

// Returns all statements, for tests.
std::vector<PostgresStatement> AllStatements();

}  // namespace tokenusage::postgres_sql

#endif  // TOKENUSAGE_STORE_POSTGRES_TABLE_SQL_H_
