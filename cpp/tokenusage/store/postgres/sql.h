// SPDX-License-Identifier: Apache-2.0

// Every statement that runs on PostgreSQL.
//
//   connection->Send(postgres_sql::Begin());
//   connection->Send(postgres_sql::LockProject(), params);
//
// The same text runs on plain PostgreSQL and on Citus, where the tables are
// distributed by project: so each statement on them names one project,
// `project` is in every key and every join, and no statement uses a temporary
// table, a function that is not immutable in DO UPDATE, or a sequence. Buckets
// and times are computed by the client. tests/store/postgres/sql_test.cc
// enforces this.

#ifndef TOKENUSAGE_STORE_POSTGRES_SQL_H_
#define TOKENUSAGE_STORE_POSTGRES_SQL_H_

#include <string>
#include <vector>

#include "tokenusage/store/postgres/connection.h"

namespace tokenusage::postgres_sql {

// The comments list parameters -> columns.

const PostgresStatement& Begin();
const PostgresStatement& Commit();

// ------------------------------------------------------------------- appends

// $1 project -> incarnation, horizon (seconds). Locks both against changes
// until the transaction ends: ShareProject shared with others, LockProject
// exclusively.
const PostgresStatement& ShareProject();
const PostgresStatement& LockProject();

// $1 project, $2 incarnation. Adds the project if it is missing.
const PostgresStatement& InsertProject();

// $1 project -> operation, provider, model.
const PostgresStatement& SelectSeries();

// $1 project, $2 operations, $3 providers, $4 models -> operation, provider,
// model of those series that have one of each.
const PostgresStatement& FindSeries();

// $1 project -> how many series it has.
const PostgresStatement& CountSeries();

// $1 project, $2 operations, $3 providers, $4 models.
const PostgresStatement& InsertSeries();

// $1 project, $2 record ids, $3 event times (ns), $4 records -> the ids that
// were inserted.
const PostgresStatement& InsertRecords();

// $1 project, $2 record id, $3 bytes. A row that is no record: to be rolled
// back.
const PostgresStatement& InsertProbe();

// $1 project, $2 record ids -> record_id, record of those that exist.
const PostgresStatement& SelectRecords();

// $1 project, $2 cell_seconds, $3 cell_start, $4 operation, $5 provider,
// $6 model, $7 record_count, $8-$12 the sums as decimals: arrays with one
// element per rollup. AddToRollups adds to existing rollups, SetRollups
// replaces them.
const PostgresStatement& AddToRollups();
const PostgresStatement& SetRollups();

// --------------------------------------------------------------------- reads

// $1 project, $2 record id -> event_time, record.
const PostgresStatement& SelectRecord();

// $1 project, $2 end (ns), $3 time (ns) and $4 record id to start after,
// $5 the most records -> record.
const PostgresStatement& ListRecords();

// $1 project, $2 start, $3 end (ns) -> event_time, record, in order of time.
const PostgresStatement& ScanRecords();

// Which of operation, provider and model totals are grouped by.
struct TotalsGroup {
  bool operation = false;
  bool provider = false;
  bool model = false;
};

// Totals of a project.
//
// $1 project; [$2, $3) is read from hours, [$4, $5) and [$6, $7) from quarter
// hours (seconds), [$8, $9) and [$10, $11) from records (ns). $12, $13, $14:
// the operations, providers, models to count, or NULL for all; records are not
// filtered. $15: the starts of the buckets (seconds, ascending), or NULL for
// each cell by itself; $16: the most rows of totals, or NULL for all.
//
// -> the time (ns) of a cell in the row's bucket, or of a record; operation,
// provider, model (NULL where not grouped by), record_count, the five sums as
// decimals; then the record, which is NULL in rows of totals. In order of time.
const PostgresStatement& SelectTotals(TotalsGroup group);

// -------------------------------------------------------------- whole database

// $1 project -> the horizon in seconds; 0 if nothing was ever removed.
const PostgresStatement& SelectHorizon();

// $1 project, $2 horizon (seconds). Moves the horizon forward, never back.
const PostgresStatement& RaiseHorizon();

// $1 project -> horizon (seconds), the project's own retention (seconds), 0 if
// it has none.
const PostgresStatement& SelectRetention();

// $1 project, $2 retention (seconds), 0 for none.
const PostgresStatement& SetRetention();

// -> the name of every project. The only statement on all projects.
const PostgresStatement& SelectProjects();

// $1 project -> the first and the last event_time (ns), NULL if there are no
// records.
const PostgresStatement& RecordTimes();

// $1 project, $2 from (ns), $3 n -> the event_time of the n-th record (from 0)
// at or after that time; no row if there are fewer.
const PostgresStatement& NthRecordTime();

// $1 project, $2 end (ns) -> the number of records before it.
const PostgresStatement& CountRecordsBefore();

// $1 project, $2 start, $3 end (ns) -> event_time, record_id, record, in order
// of time.
const PostgresStatement& CheckRecords();

// $1 project, $2 cell_seconds, $3 start, $4 end (seconds) -> cell_start,
// operation, provider, model, record_count and the five sums as decimals, in
// the order of these.
const PostgresStatement& SelectRollups();

// $1 project, $2 a time: deletes records before it (ns), rollups from it on
// (seconds).
const PostgresStatement& DeleteRecordsBefore();
const PostgresStatement& DeleteRollupsFrom();

// $1 project.
const PostgresStatement& DeleteSeries();
const PostgresStatement& DeleteProject();

// $1 name, $2 value (SetBookmark): how far a copy of another database has come.
const PostgresStatement& SelectBookmark();
const PostgresStatement& SetBookmark();

// Begins a transaction that reads one snapshot.
const PostgresStatement& BeginSnapshot();

// Returns all statements, for tests.
std::vector<PostgresStatement> AllStatements();

}  // namespace tokenusage::postgres_sql

#endif  // TOKENUSAGE_STORE_POSTGRES_SQL_H_
