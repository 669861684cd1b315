// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/yardsticks.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/time/clock.h"
#include "sqlite3.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/sqlite/store.h"
#include "tokenusage/store/sqlite/table/measure_sums.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage::load {
namespace {

using Blob = std::array<char, 16>;

void Check(bool ok, sqlite3* database) {
  if (ok) return;
  std::cerr << sqlite3_errmsg(database) << std::endl;
  std::abort();
}

void Run(sqlite3* database, const char* sql) {
  Check(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
        database);
}

sqlite3_stmt* Prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v3(database, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                           &statement, nullptr) == SQLITE_OK,
        database);
  return statement;
}

void StepToEnd(sqlite3* database, sqlite3_stmt* statement) {
  Check(sqlite3_step(statement) == SQLITE_DONE, database);
  sqlite3_reset(statement);
}

// Adds a rollup's encoded sums to `sum`.
void AddSums(std::string_view bytes, UsageSum* sum) {
  if (!AddMeasureSums(bytes, sum)) std::abort();
}

std::string_view BlobOf(sqlite3_value* value) {
  return {static_cast<const char*>(sqlite3_value_blob(value)),
          static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void AddBlobs(sqlite3_context* context, int /*size*/, sqlite3_value** parts) {
  UsageSum sum;
  AddSums(BlobOf(parts[0]), &sum);
  AddSums(BlobOf(parts[1]), &sum);
  std::string bytes;
  EncodeMeasureSums(sum, &bytes);
  sqlite3_result_blob(context, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_TRANSIENT);
}

// Returns the 16 bytes of a lower-case UUID.
Blob KeyOf(const std::string& uuid) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Blob blob;
  std::size_t at = 0;
  for (char& byte : blob) {
    if (uuid[at] == '-') ++at;
    byte = static_cast<char>(16 * digit(uuid[at]) + digit(uuid[at + 1]));
    at += 2;
  }
  return blob;
}

std::string AddSql(const std::string& table) {
  return "INSERT INTO " + table +
         " VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(series_id, cell_start) "
         "DO UPDATE SET record_count=record_count+?3,"
         "inconsistent_record_count=inconsistent_record_count+?4,"
         "unknown_usage_record_count=unknown_usage_record_count+?5,"
         "measure_sums=add_blobs(measure_sums,?6)";
}

// Stores records and keeps their rollups. One thread at a time.
class BareWriter {
 public:
  // The file must not exist.
  explicit BareWriter(const std::string& path);
  ~BareWriter();

  BareWriter(const BareWriter&) = delete;
  BareWriter& operator=(const BareWriter&) = delete;

  void Begin();
  void Add(const v1::UsageRecord& record);
  void Commit();

 private:
  // By series and start.
  using Rollups = std::map<std::pair<std::int64_t, std::int64_t>, UsageSum>;

  std::int64_t SeriesOf(const v1::UsageRecord& record);
  void Insert(const v1::UsageRecord& record, std::int64_t series,
              bool inconsistent);
  void Write(sqlite3_stmt* statement, Rollups* rollups);

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* add_series_ = nullptr;
  sqlite3_stmt* quarter_hour_ = nullptr;
  sqlite3_stmt* hour_ = nullptr;
  std::unordered_map<std::string, std::int64_t> series_;
  Rollups quarter_hours_;
  Rollups hours_;
  std::string bytes_;
};

BareWriter::BareWriter(const std::string& path) {
  // Makes empty tables.
  const bool made = OpenSqliteStore(path).ok();
  Check(made && sqlite3_open_v2(path.c_str(), &database_,
                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                nullptr) == SQLITE_OK,
        database_);
  Run(database_,
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=10000;"
      "PRAGMA cache_size=-65536;"
      "INSERT INTO project(project_id, name) VALUES(1, 'load')");
  sqlite3_create_function_v2(database_, "add_blobs", 2,
                             SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                             &AddBlobs, nullptr, nullptr, nullptr);
  insert_ = Prepare(database_,
                    "INSERT INTO usage_record(project_id, record_id, "
                    "event_time, series_id, inconsistent, record) "
                    "VALUES(1,?1,?2,?3,?4,?5) "
                    "ON CONFLICT(project_id, record_id) DO NOTHING");
  add_series_ = Prepare(database_,
                        "INSERT INTO series(project_id, operation, provider, "
                        "model) VALUES(1,?1,?2,?3)");
  quarter_hour_ = Prepare(database_, AddSql("rollup_quarter"));
  hour_ = Prepare(database_, AddSql("rollup_hour"));
}

BareWriter::~BareWriter() {
  for (sqlite3_stmt* statement : {insert_, add_series_, quarter_hour_, hour_}) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

void BareWriter::Begin() { Run(database_, "BEGIN IMMEDIATE"); }

void BareWriter::Add(const v1::UsageRecord& record) {
  const std::int64_t series = SeriesOf(record);
  const UsageCounts counts = CountRecord(record);
  Insert(record, series, counts.inconsistent());
  const std::int64_t seconds = record.event_time().seconds();
  quarter_hours_[{series, seconds - seconds % 900}].Add(counts);
  hours_[{series, seconds - seconds % 3600}].Add(counts);
}

void BareWriter::Commit() {
  Write(quarter_hour_, &quarter_hours_);
  Write(hour_, &hours_);
  Run(database_, "COMMIT");
}

std::int64_t BareWriter::SeriesOf(const v1::UsageRecord& record) {
  const std::string key =
      record.operation() + '\n' + record.provider() + '\n' + record.model();
  std::int64_t& series = series_[key];
  if (series != 0) return series;
  int index = 0;
  for (const std::string* name :
       {&record.operation(), &record.provider(), &record.model()}) {
    sqlite3_bind_text(add_series_, ++index, name->c_str(), -1, SQLITE_STATIC);
  }
  StepToEnd(database_, add_series_);
  return series = sqlite3_last_insert_rowid(database_);
}

void BareWriter::Insert(const v1::UsageRecord& record, std::int64_t series,
                        bool inconsistent) {
  const Blob key = KeyOf(record.record_id());
  if (!record.SerializeToString(&bytes_)) std::abort();
  sqlite3_bind_blob(insert_, 1, key.data(), sizeof(key), SQLITE_STATIC);
  sqlite3_bind_int64(insert_, 2,
                     record.event_time().seconds() * 1'000'000'000 +
                         record.event_time().nanos());
  sqlite3_bind_int64(insert_, 3, series);
  sqlite3_bind_int(insert_, 4, inconsistent ? 1 : 0);
  sqlite3_bind_blob(insert_, 5, bytes_.data(), static_cast<int>(bytes_.size()),
                    SQLITE_STATIC);
  StepToEnd(database_, insert_);
}

void BareWriter::Write(sqlite3_stmt* statement, Rollups* rollups) {
  for (const auto& [key, sum] : *rollups) {
    EncodeMeasureSums(sum, &bytes_);
    sqlite3_bind_int64(statement, 1, key.first);
    sqlite3_bind_int64(statement, 2, key.second);
    sqlite3_bind_int64(statement, 3, sum.record_count);
    sqlite3_bind_int64(statement, 4, sum.inconsistent_record_count);
    sqlite3_bind_int64(statement, 5, sum.unknown_usage_record_count);
    sqlite3_bind_blob(statement, 6, bytes_.data(),
                      static_cast<int>(bytes_.size()), SQLITE_STATIC);
    StepToEnd(database_, statement);
  }
  rollups->clear();
}

}  // namespace

double RunBareInserts(const std::string& path,
                      const std::vector<v1::ReportUsageRequest>& batches) {
  BareWriter writer(path);
  std::int64_t records = 0;
  const absl::Time start = absl::Now();
  for (const v1::ReportUsageRequest& batch : batches) {
    writer.Begin();
    for (const v1::UsageRecord& record : batch.records()) writer.Add(record);
    writer.Commit();
    records += batch.records_size();
  }
  return static_cast<double>(records) /
         absl::ToDoubleSeconds(absl::Now() - start);
}

double RunBareLog(const std::string& path,
                  const std::vector<v1::ReportUsageRequest>& batches) {
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  off_t end = 0;
  const auto write = [&](const std::string& bytes) {
    const auto size = static_cast<ssize_t>(bytes.size());
    if (pwrite(file, bytes.data(), bytes.size(), end) != size ||
        fdatasync(file) != 0) {
      std::perror(path.c_str());
      std::abort();
    }
    end += size;
  };
  std::int64_t records = 0;
  std::size_t bytes = 0;
  for (const v1::ReportUsageRequest& batch : batches) {
    records += batch.records_size();
    bytes += batch.ByteSizeLong();
  }
  write(std::string(bytes, '\0'));
  end = 0;
  const absl::Time start = absl::Now();
  for (const v1::ReportUsageRequest& batch : batches) {
    write(batch.SerializeAsString());
  }
  const absl::Duration time = absl::Now() - start;
  close(file);
  return static_cast<double>(records) / absl::ToDoubleSeconds(time);
}

std::vector<double> RunBareScans(const std::string& path, std::int64_t start,
                                 std::int64_t end, double seconds,
                                 double pause) {
  sqlite3* database = nullptr;
  Check(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE,
                        nullptr) == SQLITE_OK,
        database);
  sqlite3_stmt* scan =
      Prepare(database,
              "SELECT cell_start, record_count, measure_sums FROM rollup_hour "
              "WHERE series_id=?1 AND cell_start>=?2 AND cell_start<?3");
  std::vector<double> times;
  const absl::Time stop = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < stop) {
    const absl::Time begin = absl::Now();
    std::unordered_map<std::int64_t, UsageSum> days;
    for (int series = 1; series <= 20; ++series) {
      sqlite3_bind_int64(scan, 1, series);
      sqlite3_bind_int64(scan, 2, start);
      sqlite3_bind_int64(scan, 3, end);
      while (sqlite3_step(scan) == SQLITE_ROW) {
        UsageSum& day = days[sqlite3_column_int64(scan, 0) / 86400];
        day.record_count += sqlite3_column_int64(scan, 1);
        AddSums(BlobOf(sqlite3_column_value(scan, 2)), &day);
      }
      sqlite3_reset(scan);
    }
    times.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
    if (days.empty()) std::abort();
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
  }
  sqlite3_finalize(scan);
  sqlite3_close(database);
  return times;
}

}  // namespace tokenusage::load
