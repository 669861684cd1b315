// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/maintenance.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/check.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/connection/unfinished_file.h"
#include "tokenusage/store/sqlite/deleted_project.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/schema.h"
#include "tokenusage/store/sqlite/transactions.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

// Returns the absolute path of an existing database.
absl::StatusOr<std::string> FindDatabase(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string real_path, ResolveDatabasePath(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path));
  if (exists) return real_path;
  return absl::NotFoundError("database " + path + ": there is none");
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenExisting(
    const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path, FindDatabase(path));
  return OpenBeside(real_path);
}

void ShowProgress(sqlite3_backup* backup, std::int64_t page_bytes,
                  const ProgressCallback& on_progress) {
  if (!on_progress) return;
  const int pages = sqlite3_backup_pagecount(backup);
  const int copied = pages - sqlite3_backup_remaining(backup);
  on_progress(copied * page_bytes,
              static_cast<double>(copied) / static_cast<double>(pages));
}

// Copies under one read transaction: without it, copying page by page would
// start over at every commit of another process.
absl::Status CopyPages(SqliteDatabase* from, SqliteDatabase* to,
                       const ProgressCallback& on_progress) {
  constexpr int kPagesPerStep = 4096;
  TOKENUSAGE_RETURN_IF_ERROR(from->Execute("BEGIN"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t page_bytes,
                              from->QueryInt64("PRAGMA page_size"));
  // BEGIN takes the snapshot only at the first read.
  TOKENUSAGE_RETURN_IF_ERROR(
      from->QueryInt64("SELECT count(*) FROM sqlite_master").status());
  sqlite3_backup* backup =
      sqlite3_backup_init(to->handle(), "main", from->handle(), "main");
  if (backup == nullptr) return to->Error(sqlite3_errcode(to->handle()));
  int step = SQLITE_OK;
  while (step == SQLITE_OK) {
    step = sqlite3_backup_step(backup, kPagesPerStep);
    ShowProgress(backup, page_bytes, on_progress);
  }
  const int finish = sqlite3_backup_finish(backup);
  if (step == SQLITE_DONE && finish == SQLITE_OK) {
    return from->Execute("COMMIT");
  }
  // Only the source can be damaged.
  const int code = finish != SQLITE_OK ? finish : step;
  const bool damaged = (code & 0xFF) == SQLITE_CORRUPT;
  return damaged ? from->Error(code) : to->Error(code);
}

absl::Status CopyTo(const std::string& path, const std::string& copy_path,
                    const ProgressCallback& on_progress) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDatabase> database,
                              OpenBeside(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> copy,
      SqliteDatabase::Open(copy_path,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  std::error_code error;
  fs::permissions(copy_path, fs::status(path, error).permissions(), error);
  if (error) return FileError("file " + copy_path, error.value());
  return CopyPages(database.get(), copy.get(), on_progress);
}

absl::Status CheckCopy(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> copy,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_RETURN_IF_ERROR(CheckSqliteSchema(copy.get()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string result,
                              copy->QueryText("PRAGMA integrity_check(1)"));
  return result == "ok" ? absl::OkStatus() : DamagedError(path, result);
}

// A busy service frees the lock only for a moment between two commits, so look
// often; and for about a minute.
constexpr absl::Duration kPollInterval = absl::Microseconds(200);
constexpr int kMaxPolls = 300'000;

int AwaitLock(void* /*unused*/, int polls) {
  absl::SleepFor(kPollInterval);
  return polls < kMaxPolls ? 1 : 0;
}

// A service's writer that waits for the lock looks at least this often in its
// first 0.2 s, so it gets the lock in this pause, if not before.
constexpr absl::Duration kMinPause = absl::Milliseconds(50);

// Runs transactions while a service may have the database open.
class Beside : public SqliteTransactions {
 public:
  static absl::StatusOr<std::unique_ptr<Beside>> Open(const std::string& path) {
    TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                                OpenExisting(path));
    sqlite3_busy_handler(database->handle(), &AwaitLock, nullptr);
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
        "PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=10000"));
    return std::unique_ptr<Beside>(new Beside(std::move(database)));
  }

  absl::Status Read(const CallLimits& /*limits*/, const Work& work) override {
    return Run("BEGIN", work);
  }

  absl::Status Write(const Work& work) override {
    return Run("BEGIN IMMEDIATE", work);
  }

  void Pause(absl::Duration write_time) override {
    absl::SleepFor(std::max(write_time, kMinPause));
  }

 private:
  explicit Beside(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)) {}

  // After an error the connection is closed, which rolls back.
  absl::Status Run(const char* begin, const Work& work) {
    TOKENUSAGE_RETURN_IF_ERROR(database_->Execute(begin));
    TOKENUSAGE_RETURN_IF_ERROR(work(database_.get()));
    return database_->Execute("COMMIT");
  }

  const std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace

absl::StatusOr<CheckReport> CheckSqliteDatabase(const std::string& path,
                                                const CheckOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto database, OpenExisting(path));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA query_only=ON;BEGIN"));
  return CheckSqliteContent(database.get(), options);
}

absl::StatusOr<SqliteBackup> BackupSqliteDatabase(
    const std::string& path, const std::string& destination,
    const ProgressCallback& on_progress) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path, FindDatabase(path));
  SqliteBackup backup;
  TOKENUSAGE_ASSIGN_OR_RETURN(backup.path, ResolveDatabasePath(destination));
  // Another database's log must not become the copy's.
  std::error_code error;
  if (fs::exists(backup.path + "-wal", error)) {
    return absl::FailedPreconditionError("file " + backup.path +
                                         "-wal already exists");
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto copy,
                              UnfinishedFile::For(backup.path));
  TOKENUSAGE_RETURN_IF_ERROR(CopyTo(real_path, copy->path(), on_progress));
  TOKENUSAGE_RETURN_IF_ERROR(CheckCopy(copy->path()));
  TOKENUSAGE_RETURN_IF_ERROR(copy->Finish());
  backup.bytes = static_cast<std::int64_t>(fs::file_size(backup.path, error));
  if (error) return FileError("file " + backup.path, error.value());
  return backup;
}

absl::StatusOr<Removal> DeleteSqliteRecords(const std::string& path,
                                            const RecordSelection& selection,
                                            bool dry_run) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto beside, Beside::Open(path));
  return DeleteSelectedRecords(selection, dry_run, CallLimits(), beside.get());
}

absl::StatusOr<std::vector<Deletion>> SqliteDeletions(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto database, OpenExisting(path));
  return ReadDeletions(database.get());
}

absl::StatusOr<Removal> DeleteSqliteProject(const std::string& path,
                                            const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto beside, Beside::Open(path));
  return DeleteProjectInSteps(project, CallLimits(), beside.get());
}

absl::Status SetSqliteRetention(const std::string& path,
                                const std::string& project,
                                absl::Duration retain) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto database, OpenExisting(path));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous=FULL"));
  return WriteRetention(database.get(), project, retain);
}

}  // namespace tokenusage
