#include "tokenusage/store/sqlite_store.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/file_error.h"
#include "tokenusage/store/file_lock.h"
#include "tokenusage/store/sqlite_appender.h"
#include "tokenusage/store/sqlite_database.h"
#include "tokenusage/store/sqlite_file.h"
#include "tokenusage/store/sqlite_probe.h"
#include "tokenusage/store/sqlite_reader.h"
#include "tokenusage/store/sqlite_schema.h"
#include "tokenusage/store/sqlite_writer.h"

namespace tokenusage {
namespace {

class SqliteStore : public UsageStore {
 public:
  SqliteStore(std::string path, const SqliteStoreOptions& options,
              std::unique_ptr<FileLock> lock,
              std::unique_ptr<SqliteReader> reader,
              std::unique_ptr<SqliteAppender> appender)
      : path_(std::move(path)),
        lock_(std::move(lock)),
        reader_(std::move(reader)),
        writer_(path_,
                {options.max_records_per_commit, options.max_queued_bytes,
                 options.on_commit},
                std::move(appender)) {}

  void AppendAsync(std::string project, BatchPointer batch, CallLimits limits,
                   AppendCallback done) override {
    writer_.Append(std::move(project), std::move(batch), std::move(limits),
                   std::move(done));
  }

  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override {
    return reader_->Query(query);
  }

  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override {
    return reader_->GetRecord(project, record_id);
  }

  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override {
    return reader_->ListRecords(query);
  }

  absl::Status CheckWritable() override { return CheckSqliteWritable(path_); }

  StoreStats Stats() const override {
    StoreStats stats = writer_.Stats();
    stats.size_bytes = SqliteFileBytes(path_);
    return stats;
  }

 private:
  const std::string path_;
  // Destroyed from the last to the first: the lock goes when all is closed.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteReader> reader_;
  SqliteWriter writer_;
};

// The application_id is in the file before WAL mode is: so whatever is in a
// write-ahead log, the file itself says whose it is.
absl::Status CreateDatabaseAt(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous=FULL"));
  return CreateSqliteSchema(database.get());
}

// Whenever the machine stops, there is a whole database or none.
absl::Status CreateDatabase(const std::string& path) {
  std::error_code error;
  // An empty file that is there already keeps its owner and mode.
  if (std::filesystem::exists(path, error)) return CreateDatabaseAt(path);
  const std::string unfinished = path + ".new-" + std::to_string(getpid());
  if (std::filesystem::exists(unfinished, error)) {
    return absl::FailedPreconditionError("file " + unfinished +
                                         " is in the way: remove it");
  }
  TOKENUSAGE_RETURN_IF_ERROR(CreateDatabaseAt(unfinished));
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return FileError("database " + path, errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<UsageStore>> OpenSqliteStore(
    const std::string& path, const SqliteStoreOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string real_path, ResolveDatabasePath(path));
  const std::string lock_path = real_path + ".lock";
  // Where this very process has the database open, opening and closing its file
  // once more would drop SQLite's own locks on it.
  TOKENUSAGE_RETURN_IF_ERROR(FileLock::CheckFree(lock_path));
  // Once before the lock, which would leave its file beside a foreign one, and
  // once under it.
  TOKENUSAGE_RETURN_IF_ERROR(InspectDatabaseFile(real_path).status());
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock,
                              FileLock::Acquire(lock_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path));
  if (!exists) TOKENUSAGE_RETURN_IF_ERROR(CreateDatabase(real_path));
  TOKENUSAGE_RETURN_IF_ERROR(CheckDatabase(real_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteAppender> appender,
                              SqliteAppender::Open(real_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader,
                              SqliteReader::Open(real_path));
  return std::unique_ptr<UsageStore>(
      new SqliteStore(std::move(real_path), options, std::move(lock),
                      std::move(reader), std::move(appender)));
}

}  // namespace tokenusage
