// SPDX-License-Identifier: Apache-2.0

// Compares one process with two, the PostgreSQL store with a bare libpq loop
// that runs the same statements, and queries of a month by day with the bare
// SQL. Starts its own server.
//
//   bazel run -c opt //tests/benchmark/postgres:benchmark
//
// TOKENUSAGE_BENCH_ROUNDS (default 5) is the number of rounds, whose medians
// are compared; TOKENUSAGE_BENCH_RECORDS (default 5000000) that of the records
// in the month.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libpq-fe.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/support/records.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage::testing {
namespace {

namespace sql = postgres_sql;

constexpr int kConnections = 4;
constexpr int kRecordsPerBatch = 1000;
constexpr int kBatchesPerConnection = 12;

std::int64_t NumberFrom(const char* variable, std::int64_t otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : std::atoll(value);
}

// Returns a time-ordered id in the format of UUIDv7.
std::string IdOf(std::uint64_t n) {
  return absl::StrFormat("0198%04x-%04x-7000-8000-%012x", (n >> 16) & 0xFFFF,
                         n & 0xFFFF, n);
}

std::uint64_t next_id = 0;

// Fills in all twelve counts that chats of text and audio have.
void SetChat(std::uint64_t n, v1::UsageRecord* record) {
  const auto part = [n](std::uint64_t unit) {
    return static_cast<std::int64_t>(unit + n % unit);
  };
  auto* usage = record->mutable_openai_chat();
  usage->set_prompt_tokens(part(5000) + part(400));
  auto* input = usage->mutable_prompt_tokens_details();
  input->set_text_tokens(part(5000));
  input->set_audio_tokens(part(400));
  input->set_cached_tokens(part(2000));
  input->set_cache_write_tokens(part(300));
  usage->set_completion_tokens(part(900) + part(70));
  auto* output = usage->mutable_completion_tokens_details();
  output->set_text_tokens(part(900));
  output->set_audio_tokens(part(70));
  output->set_reasoning_tokens(part(500));
  output->set_accepted_prediction_tokens(part(30));
  output->set_rejected_prediction_tokens(part(20));
  usage->set_total_tokens(usage->prompt_tokens() + usage->completion_tokens());
}

// Returns records such as a busy gateway reports: chats of twenty series, one
// per millisecond.
std::vector<v1::UsageRecord> NewRecords() {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < kRecordsPerBatch; ++i) {
    const std::uint64_t n = ++next_id;
    v1::UsageRecord record =
        ValidRecord(IdOf(n), Nanos("2026-08-01T12:00:00Z") +
                                 static_cast<std::int64_t>(n) * 1'000'000);
    record.set_operation("chat.completions");
    record.set_model("model-" + std::to_string(n % 20));
    SetChat(n, &record);
    records.push_back(std::move(record));
  }
  return records;
}

using Batches = std::vector<std::shared_ptr<const CheckedBatch>>;

Batches NewBatches() {
  Batches batches;
  for (int i = 0; i < kBatchesPerConnection; ++i) {
    batches.push_back(CheckedOf(NewRecords()));
  }
  return batches;
}

// Runs `work(i)` in kConnections threads. Returns their records per second.
double RecordsPerSecond(const std::function<void(int)>& work) {
  const absl::Time start = absl::Now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kConnections; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  return kConnections * kBatchesPerConnection * kRecordsPerBatch /
         absl::ToDoubleSeconds(absl::Now() - start);
}

double Percentile(std::vector<double> values, std::size_t percent) {
  std::sort(values.begin(), values.end());
  return values[values.size() * percent / 100];
}

double Median(std::vector<double> values) {
  return Percentile(std::move(values), 50);
}

// ------------------------------------------------------------- the bare loop

void Require(bool good, PGconn* connection) {
  if (good) return;
  std::cerr << PQerrorMessage(connection) << std::endl;
  std::abort();
}

// A connection that runs the store's statements with libpq alone.
class BareLoop {
 public:
  explicit BareLoop(const std::string& url)
      : connection_(PQconnectdb(url.c_str())) {
    Require(PQstatus(connection_) == CONNECTION_OK, connection_);
    for (const PostgresStatement* statement :
         {&sql::kBegin, &sql::kShareProject, &sql::kInsertRecords,
          &sql::AddToRollups(sql::Family::kPlain), &sql::kCommit}) {
      PQclear(
          PQprepare(connection_, statement->name, statement->sql, 0, nullptr));
    }
    Require(PQenterPipelineMode(connection_) == 1, connection_);
  }
  ~BareLoop() { PQfinish(connection_); }

  // The parameters of a batch, encoded in advance.
  struct Batch {
    PostgresParams project;
    PostgresParams records;
    PostgresParams rollups;
  };
  static Batch Prepare(const std::string& project, const CheckedBatch& batch) {
    Batch made;
    made.project.Add(project);
    made.records.Add(project);
    PostgresArray ids = PostgresArray::Texts(batch.size());
    PostgresArray times = PostgresArray::Int64s(batch.size());
    PostgresArray inconsistent = PostgresArray::Bools(batch.size());
    PostgresArray bytes = PostgresArray::Bytes(batch.size());
    PostgresRollups rollups({});
    for (const CheckedRecord& record : batch) {
      ids.Add(std::string_view(record.record().record_id()));
      times.Add(record.event_time_nanos());
      inconsistent.AddBool(record.counts().inconsistent());
      bytes.Add(std::string_view(record.bytes()));
      rollups.Add(record.record(), record.event_time_nanos(), record.counts());
    }
    made.records.Add(std::move(ids));
    made.records.Add(std::move(times));
    made.records.Add(std::move(inconsistent));
    made.records.Add(std::move(bytes));
    made.rollups = RollupParams(project, sql::Family::kPlain,
                                rollups.All(sql::Family::kPlain));
    return made;
  }

  void Append(const Batch& batch) {
    Send(sql::kBegin, {});
    Send(sql::kShareProject, batch.project);
    Send(sql::kInsertRecords, batch.records);
    Sync(3);
    Send(sql::AddToRollups(sql::Family::kPlain), batch.rollups);
    Send(sql::kCommit, {});
    Sync(2);
  }

 private:
  void Send(const PostgresStatement& statement, const PostgresParams& params) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (int i = 0; i < params.size(); ++i) {
      values.push_back(params.value(i)->data());
      lengths.push_back(static_cast<int>(params.value(i)->size()));
    }
    const std::vector<int> formats(values.size(), 1);
    Require(PQsendQueryPrepared(connection_, statement.name, params.size(),
                                values.data(), lengths.data(), formats.data(),
                                1) == 1,
            connection_);
  }

  void Sync(int statements) {
    Require(PQpipelineSync(connection_) == 1, connection_);
    for (int i = 0; i < statements; ++i) {
      PGresult* const result = PQgetResult(connection_);
      Require(PQresultStatus(result) == PGRES_COMMAND_OK ||
                  PQresultStatus(result) == PGRES_TUPLES_OK,
              connection_);
      PQclear(result);
      PQgetResult(connection_);
    }
    PQclear(PQgetResult(connection_));
  }

  PGconn* connection_;
};

void CompareAppends(int rounds) {
  const std::string url = SharedPostgresServer().NewDatabase();
  const std::unique_ptr<UsageStore> store = OpenPostgresStore(url).value();
  // Creates both projects and their series.
  for (const char* project : {"bare", "store"}) {
    (void)store->Append(project, CheckedOf(NewRecords())).value();
  }
  std::vector<std::unique_ptr<BareLoop>> loops;
  for (int i = 0; i < kConnections; ++i) {
    loops.push_back(std::make_unique<BareLoop>(url));
  }
  const std::string begin = RunPostgresSql(url, "SELECT pg_current_wal_lsn()");
  std::vector<double> bare;
  std::vector<double> ours;
  for (int round = 0; round <= rounds; ++round) {
    std::vector<std::vector<BareLoop::Batch>> prepared(kConnections);
    std::vector<Batches> batches;
    for (auto& part : prepared) {
      for (const std::shared_ptr<const CheckedBatch>& batch : NewBatches()) {
        part.push_back(BareLoop::Prepare("bare", *batch));
      }
      batches.push_back(NewBatches());
    }
    const auto run_bare = [&] {
      bare.push_back(RecordsPerSecond([&](int i) {
        for (const auto& batch : prepared[static_cast<std::size_t>(i)]) {
          loops[static_cast<std::size_t>(i)]->Append(batch);
        }
      }));
    };
    const auto run_ours = [&] {
      ours.push_back(RecordsPerSecond([&](int i) {
        for (const auto& batch : batches[static_cast<std::size_t>(i)]) {
          (void)store->Append("store", batch).value();
        }
      }));
    };
    // The order alternates; the first round is a warm-up.
    round % 2 == 0 ? run_bare() : run_ours();
    round % 2 == 0 ? run_ours() : run_bare();
    if (round == 0) {
      bare.clear();
      ours.clear();
    }
  }
  absl::PrintF(
      "batches of %d from %d connections: bare libpq %.0f, store %.0f records "
      "a second; ratio %.2f\n",
      kRecordsPerBatch, kConnections, Median(bare), Median(ours),
      Median(ours) / Median(bare));
  std::cout << RunPostgresSql(url,
                              absl::StrCat("SELECT 'a record takes ' || "
                                           "(pg_current_wal_lsn() - '",
                                           begin,
                                           "'::pg_lsn)::bigint / count(*) || "
                                           "' bytes of WAL' "
                                           "FROM tokenusage.usage_record"))
            << std::endl;
  std::cout << RunPostgresSql(
                   url,
                   "SELECT format('a record takes %s bytes in its table, %s in "
                   "the key and %s in the index by time', "
                   "pg_table_size('tokenusage.usage_record') / count(*), "
                   "pg_relation_size('tokenusage.usage_record_pkey') / "
                   "count(*), "
                   "pg_relation_size('tokenusage.usage_record_by_time') / "
                   "count(*)) FROM tokenusage.usage_record")
            << std::endl;
}

// ------------------------------------------------------------- two processes

double CpuSeconds(int who) {
  rusage usage = {};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec +
                                    usage.ru_stime.tv_usec);
}

// Runs `processes` processes with a store each. Returns their records per
// second and their CPU seconds per second.
std::pair<double, double> RunProcesses(const std::string& url, int processes) {
  const double cpu_before = CpuSeconds(RUSAGE_CHILDREN);
  const absl::Time start = absl::Now();
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const std::uint64_t first = next_id;
    next_id += static_cast<std::uint64_t>(kConnections) *
               (kBatchesPerConnection + 1) * kRecordsPerBatch;
    const pid_t child = fork();
    if (child == 0) {
      next_id = first;
      const std::unique_ptr<UsageStore> store = OpenPostgresStore(url).value();
      std::vector<Batches> batches;
      for (int j = 0; j < kConnections; ++j) batches.push_back(NewBatches());
      RecordsPerSecond([&](int j) {
        for (const auto& batch : batches[static_cast<std::size_t>(j)]) {
          (void)store->Append(absl::StrCat("p", i), batch).value();
        }
      });
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) std::abort();
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  return {processes * kConnections * kBatchesPerConnection * kRecordsPerBatch /
              seconds,
          (CpuSeconds(RUSAGE_CHILDREN) - cpu_before) / seconds};
}

// Returns the CPU seconds that the machine was busy since it started.
double BusySeconds() {
  std::FILE* const file = std::fopen("/proc/stat", "r");
  long long user = 0, nice = 0, system = 0;
  if (std::fscanf(file, "cpu %lld %lld %lld", &user, &nice, &system) != 3) {
    std::abort();
  }
  std::fclose(file);
  return static_cast<double>(user + nice + system) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

void CompareProcesses(int rounds) {
  const std::string url = SharedPostgresServer().NewDatabase();
  RunProcesses(url, 2);
  for (int round = 0; round < rounds; ++round) {
    for (const int processes : {1, 2}) {
      const double busy = BusySeconds();
      const absl::Time start = absl::Now();
      const auto [rate, cpu] = RunProcesses(url, processes);
      const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
      absl::PrintF(
          "%d process(es): %.0f records a second; they took %.2f CPUs, the "
          "machine %.2f of %ld\n",
          processes, rate, cpu, (BusySeconds() - busy) / seconds,
          sysconf(_SC_NPROCESSORS_ONLN));
    }
  }
}

// -------------------------------------------------------------- month by day

// The measures of the month's chats and images, eight each.
constexpr const char* kChatMeasures[] = {
    "total_tokens",       "input_tokens",
    "output_tokens",      "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens",
    "tool_calls",         "cost_usd"};
constexpr const char* kImageMeasures[] = {
    "total_tokens",        "input_tokens",
    "output_tokens",       "input_text_tokens",
    "input_image_tokens",  "output_text_tokens",
    "output_image_tokens", "images"};

// Makes the rollups of ten series of a month.
template <std::size_t N>
void FillRollups(const std::string& url, const std::string& records,
                 const std::string& operation, int first_model,
                 const char* const (&measures)[N]) {
  std::string columns;
  std::string sums;
  for (const char* measure : measures) {
    absl::StrAppend(&columns, ", ", measure, ", ", measure, "_records");
    absl::StrAppend(&sums, ", sum(8105.75 + i % 1000), count(*)");
  }
  for (const char* seconds : {"900", "3600"}) {
    RunPostgresSql(
        url, absl::StrCat(
                 "INSERT INTO tokenusage.usage_rollup(project, cell_seconds, "
                 "cell_start, operation, provider, model, record_count, "
                 "inconsistent_record_count, unknown_usage_record_count",
                 columns, ") SELECT 'month', ", seconds, ", at / ", seconds,
                 " * ", seconds, " AS t, '", operation,
                 "', 'openai', 'model-'"
                 " || (",
                 first_model, " + i % 10), count(*), 0, 0", sums, " FROM (",
                 records, ") AS r WHERE i % 20 / 10 = ", first_model / 10,
                 " GROUP BY t, i % 10 ORDER BY t"));
  }
}

// Makes a month of a project in the database, with twenty series.
void FillMonth(const std::string& url, std::int64_t records) {
  const std::int64_t start = Nanos("2026-08-01T00:00:00Z") / kNanosPerSecond;
  const std::string step = std::to_string(31 * 24 * kNanosPerHour /
                                          std::max<std::int64_t>(records, 1));
  RunPostgresSql(
      url,
      "INSERT INTO tokenusage.project(project, incarnation, horizon, "
      "rollup_labels) VALUES('month', 1, 0, '')");
  const std::string all =
      absl::StrCat("SELECT i, ", start, "::bigint + i * ", step,
                   " / 1000000000 AS at FROM generate_series(0::bigint, ",
                   records - 1, ") AS i");
  RunPostgresSql(
      url, absl::StrCat("INSERT INTO tokenusage.usage_record SELECT 'month', "
                        "'0198-' || lpad(i::text, 31, '0'), at * 1000000000, "
                        "false, decode(repeat('ab', 180), 'hex') FROM (",
                        all, ") AS r"));
  FillRollups(url, all, "chat.completions", 0, kChatMeasures);
  FillRollups(url, all, "images.edits", 10, kImageMeasures);
  RunPostgresSql(url, "ANALYZE");
}

double Milliseconds(const std::function<void()>& work) {
  const absl::Time start = absl::Now();
  work();
  return absl::ToDoubleMilliseconds(absl::Now() - start);
}

void CompareMonth(std::int64_t records, bool by_model) {
  static const std::string* const url = [records] {
    auto* made = new std::string(SharedPostgresServer().NewDatabase());
    FillMonth(*made, records);
    return made;
  }();
  const std::unique_ptr<UsageStore> store = OpenPostgresStore(*url).value();
  const std::unique_ptr<PGconn, void (*)(PGconn*)> bare(
      PQconnectdb(url->c_str()), &PQfinish);
  const std::string group = by_model ? ", model" : "";
  // All that occur; the store's statement also has the other measures.
  const std::set<std::string> measures = [] {
    std::set<std::string> all(std::begin(kChatMeasures),
                              std::end(kChatMeasures));
    all.insert(std::begin(kImageMeasures), std::end(kImageMeasures));
    return all;
  }();
  std::string sums;
  for (const std::string& measure : measures) {
    absl::StrAppend(&sums, ", sum(", measure, "), sum(", measure, "_records)");
  }
  const std::string text = absl::StrCat(
      "SELECT cell_start / 86400", group,
      ", sum(record_count), sum(inconsistent_record_count), "
      "sum(unknown_usage_record_count)",
      sums,
      " FROM tokenusage.usage_rollup WHERE project = 'month' AND cell_seconds "
      "= 3600 AND cell_start >= ",
      Nanos("2026-08-01T00:00:00Z") / kNanosPerSecond, " AND cell_start < ",
      Nanos("2026-09-01T00:00:00Z") / kNanosPerSecond, " GROUP BY 1", group,
      " ORDER BY 1", group);
  PQclear(PQprepare(bare.get(), "bare", text.c_str(), 0, nullptr));
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z",
                             v1::TIME_BUCKET_DAY);
  query.projects = {"month"};
  if (by_model) query.group_by = {{UsageField::Kind::kModel, ""}};
  std::vector<double> theirs;
  std::vector<double> ours;
  int bare_rows = 0;
  std::size_t rows = 0;
  for (int i = 0; i < 100; ++i) {
    theirs.push_back(Milliseconds([&] {
      PGresult* const result =
          PQexecPrepared(bare.get(), "bare", 0, nullptr, nullptr, nullptr, 0);
      bare_rows = PQntuples(result);
      PQclear(result);
    }));
    ours.push_back(
        Milliseconds([&] { rows = store->Query(query).value().rows.size(); }));
  }
  absl::PrintF(
      "month by day%s of %d records: bare SQL %.1f ms (%d rows), store %.1f "
      "ms, "
      "p99 %.1f ms (%d rows); ratio %.2f\n",
      by_model ? " and model" : "", records, Median(theirs), bare_rows,
      Median(ours), Percentile(ours, 99), rows, Median(ours) / Median(theirs));
}

int Run() {
  const auto rounds =
      static_cast<int>(NumberFrom("TOKENUSAGE_BENCH_ROUNDS", 5));
  CompareProcesses(std::min(rounds, 3));
  CompareAppends(rounds);
  const std::int64_t records =
      NumberFrom("TOKENUSAGE_BENCH_RECORDS", 5'000'000);
  CompareMonth(records, false);
  CompareMonth(records, true);
  return 0;
}

}  // namespace
}  // namespace tokenusage::testing

int main() { return tokenusage::testing::Run(); }
