// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/maintenance.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/sqlite/check.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/file_error.h"
#include "tokenusage/store/sqlite/file_lock.h"
#include "tokenusage/store/sqlite/schema.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

// The absolute path of a database that is there.
absl::StatusOr<std::string> FindDatabase(const std::string& path,
                                         std::int32_t oldest_version) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string real_path, ResolveDatabasePath(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path, oldest_version));
  if (exists) return real_path;
  return absl::NotFoundError("database " + path + ": there is none");
}

// A file or folder, to disk.
absl::Status Sync(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError("file " + path, errno);
  const int result = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  return result == 0 ? absl::OkStatus() : FileError("file " + path, error);
}

absl::Status ExistsError(const std::string& path) {
  return absl::FailedPreconditionError("file " + path + " is there already");
}

// An unfinished copy, which goes unless it gets its name.
class UnfinishedCopy {
 public:
  explicit UnfinishedCopy(std::string path) : path_(std::move(path)) {}
  ~UnfinishedCopy() {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      std::remove((path_ + suffix).c_str());
    }
  }
  UnfinishedCopy(const UnfinishedCopy&) = delete;
  UnfinishedCopy& operator=(const UnfinishedCopy&) = delete;

  const std::string& path() const { return path_; }

  // Fails where the destination has come to be there meanwhile.
  absl::Status Rename(const std::string& destination) {
    TOKENUSAGE_RETURN_IF_ERROR(Sync(path_));
    int result = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD,
                           destination.c_str(), RENAME_NOREPLACE);
    // Not every file system can, NFS for one.
    if (result != 0 && errno == EINVAL) {
      result = std::rename(path_.c_str(), destination.c_str());
    }
    if (result != 0) {
      return errno == EEXIST ? ExistsError(destination)
                             : FileError("file " + destination, errno);
    }
    return Sync(fs::path(destination).parent_path().string());
  }

 private:
  const std::string path_;
};

absl::StatusOr<std::string> FreeDestination(const std::string& destination) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string path,
                              ResolveDatabasePath(destination));
  for (const char* suffix : {"", "-wal"}) {
    std::error_code error;
    if (fs::exists(path + suffix, error)) {
      return ExistsError(path + suffix);
    }
  }
  return path;
}

// One step under one read transaction: the copying of single pages would begin
// again with every commit of another process.
absl::Status CopyPages(SqliteDatabase* from, SqliteDatabase* to) {
  sqlite3_backup* backup =
      sqlite3_backup_init(to->handle(), "main", from->handle(), "main");
  if (backup == nullptr) return to->Error(sqlite3_errcode(to->handle()));
  const int step = sqlite3_backup_step(backup, -1);
  const int finish = sqlite3_backup_finish(backup);
  if (step == SQLITE_DONE && finish == SQLITE_OK) return absl::OkStatus();
  // Only reading the source can find damage.
  const int code = finish != SQLITE_OK ? finish : step;
  const bool damaged = (code & 0xFF) == SQLITE_CORRUPT;
  return damaged ? from->Error(code) : to->Error(code);
}

absl::Status CopyTo(const std::string& path, const std::string& copy_path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDatabase> database,
                              OpenBeside(path, kOldestSqliteSchemaVersion));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> copy,
      SqliteDatabase::Open(copy_path,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  std::error_code error;
  fs::permissions(copy_path, fs::status(path, error).permissions(), error);
  if (error) return FileError("file " + copy_path, error.value());
  return CopyPages(database.get(), copy.get());
}

absl::Status CheckCopy(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> copy,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckSqliteSchema(copy.get(), kOldestSqliteSchemaVersion));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string result,
                              copy->QueryText("PRAGMA integrity_check(1)"));
  return result == "ok" ? absl::OkStatus() : DamagedError(path, result);
}

}  // namespace

absl::StatusOr<CheckReport> CheckSqliteDatabase(const std::string& path,
                                                const CheckOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path,
                              FindDatabase(path, kSqliteSchemaVersion));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDatabase> database,
                              OpenBeside(real_path));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA query_only=ON;BEGIN"));
  return CheckSqliteContent(database.get(), options);
}

absl::StatusOr<SqliteBackup> BackupSqliteDatabase(
    const std::string& path, const std::string& destination) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path,
                              FindDatabase(path, kOldestSqliteSchemaVersion));
  SqliteBackup backup;
  TOKENUSAGE_ASSIGN_OR_RETURN(backup.path, FreeDestination(destination));
  const std::string unfinished =
      backup.path + ".new-" + std::to_string(getpid());
  TOKENUSAGE_RETURN_IF_ERROR(FreeDestination(unfinished).status());
  UnfinishedCopy copy(unfinished);
  TOKENUSAGE_RETURN_IF_ERROR(CopyTo(real_path, copy.path()));
  TOKENUSAGE_RETURN_IF_ERROR(CheckCopy(copy.path()));
  TOKENUSAGE_RETURN_IF_ERROR(copy.Rename(backup.path));
  std::error_code error;
  backup.bytes = static_cast<std::int64_t>(fs::file_size(backup.path, error));
  if (error) return FileError("file " + backup.path, error.value());
  return backup;
}

absl::StatusOr<SqliteMigration> MigrateSqliteDatabase(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path,
                              ResolveDatabasePath(path));
  TOKENUSAGE_RETURN_IF_ERROR(FileLock::CheckFree(real_path + ".lock"));
  TOKENUSAGE_RETURN_IF_ERROR(
      FindDatabase(real_path, kOldestSqliteSchemaVersion).status());
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock,
                              FileLock::Acquire(real_path + ".lock"));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(real_path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckSqliteSchema(database.get(), kOldestSqliteSchemaVersion));
  SqliteMigration migration;
  migration.to_version = kSqliteSchemaVersion;
  TOKENUSAGE_ASSIGN_OR_RETURN(migration.from_version,
                              ReadSchemaVersion(database.get()));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous=FULL"));
  if (migration.from_version != migration.to_version) {
    TOKENUSAGE_RETURN_IF_ERROR(MigrateSqliteSchema(database.get()));
  }
  // The file itself says its version to those who look before they open it.
  TOKENUSAGE_RETURN_IF_ERROR(
      database->Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return migration;
}

}  // namespace tokenusage
