// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/schema.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxCheckedBytes = 256 << 20;
constexpr int kMaxLinks = 40;

// SQLite's file header:
// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::size_t kHeaderBytes = 100;
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kUserVersionOffset = 60;
constexpr std::size_t kApplicationIdOffset = 68;

std::int64_t BigEndian32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) {
    value = (value << 8) | static_cast<unsigned char>(byte);
  }
  return static_cast<std::int32_t>(value);
}

absl::Status PathError(const fs::path& path, const std::error_code& error) {
  return FileError("database " + path.string(), error.value());
}

// Returns the file's first kHeaderBytes bytes; fewer if it is shorter, none if
// it is missing.
absl::StatusOr<std::string> ReadHeader(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) return std::string();
    return FileError("database " + path, errno);
  }
  std::array<char, kHeaderBytes> header;
  struct stat facts = {};
  const bool linked = fstat(descriptor, &facts) == 0 && facts.st_nlink > 1;
  const ssize_t size = pread(descriptor, header.data(), header.size(), 0);
  const int error = errno;
  close(descriptor);
  // Under another name it would have another lock and another log.
  if (linked) {
    return absl::FailedPreconditionError(
        "database " + path + " has more than one hard link: remove the others");
  }
  if (size < 0) return FileError("database " + path, error);
  return std::string(header.data(), static_cast<std::size_t>(size));
}

// Makes the connection leave the write-ahead log alone when it closes.
absl::Status KeepLogOnClose(SqliteDatabase* database) {
  const int code = sqlite3_db_config(
      database->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : database->Error(code);
}

// Returns whether SQLite can write the database, and its files beside it.
bool IsWritable(const std::string& path) {
  return CheckDatabaseIsWritable(path).ok() &&
         access(fs::path(path).parent_path().c_str(), W_OK) == 0;
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenReadOnly(
    const std::string& path) {
  // A process that has the database open has both files. Without them, nobody
  // needs to be locked out.
  std::error_code error;
  const bool has_log = fs::exists(path + "-wal", error);
  const bool has_index = fs::exists(path + "-shm", error);
  const char* parameters = !has_log     ? "immutable=1"
                           : !has_index ? "vfs=unix-none"  // without locks
                                        : "";
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READONLY, parameters));
  if (has_log && !has_index) {
    // In this mode SQLite keeps the index of the log in memory, not in a file.
    TOKENUSAGE_RETURN_IF_ERROR(
        database->Execute("PRAGMA locking_mode=EXCLUSIVE"));
  }
  return database;
}

}  // namespace

absl::StatusOr<std::string> ResolveDatabasePath(const std::string& path) {
  std::error_code error;
  fs::path file(path);
  for (int links = 0; fs::is_symlink(fs::symlink_status(file, error));
       ++links) {
    if (links == kMaxLinks) return FileError("database " + path, ELOOP);
    const fs::path target = fs::read_symlink(file, error);
    if (error) return PathError(file, error);
    file = file.parent_path() / target;
  }
  const fs::path parent = file.has_parent_path() ? file.parent_path() : ".";
  const fs::path folder = fs::canonical(parent, error);
  if (error) return PathError(file, error);
  if (!file.has_filename() ||
      fs::is_directory(folder / file.filename(), error)) {
    return FileError("database " + path, EISDIR);
  }
  return (folder / file.filename()).string();
}

std::int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

absl::StatusOr<bool> InspectDatabaseFile(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string header, ReadHeader(path));
  if (header.empty()) {
    std::error_code error;
    const std::uintmax_t log = fs::file_size(path + "-wal", error);
    if (error || log == 0) return false;
    return DamagedError(
        path, "it is missing or empty, but its write-ahead log " + path +
                  "-wal is not");
  }
  const std::string_view view(header);
  if (view.size() < kHeaderBytes || view.substr(0, kMagic.size()) != kMagic) {
    return ForeignFileError(path, "it is not a SQLite database");
  }
  const std::int64_t id = BigEndian32(view.substr(kApplicationIdOffset));
  if (id != kSqliteApplicationId) {
    return ForeignFileError(path,
                            "its application_id is " + std::to_string(id));
  }
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckSchemaVersion(path, BigEndian32(view.substr(kUserVersionOffset))));
  return true;
}

absl::Status CheckDatabaseIsWritable(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string file = path + suffix;
    if (access(file.c_str(), W_OK) == 0 || errno == ENOENT) continue;
    const int error = errno;
    struct stat facts = {};
    if (stat(file.c_str(), &facts) != 0) continue;  // SQLite removed it
    return FileError("database " + path + " cannot be written: file " + file +
                         " belongs to uid " + std::to_string(facts.st_uid) +
                         ", and this process runs as uid " +
                         std::to_string(getuid()),
                     error);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenBeside(
    const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      IsWritable(path) ? SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE)
                       : OpenReadOnly(path));
  if (FileBytes(path + "-wal") > 0) {
    TOKENUSAGE_RETURN_IF_ERROR(KeepLogOnClose(database.get()));
  }
  TOKENUSAGE_RETURN_IF_ERROR(CheckSqliteSchema(database.get()));
  return database;
}

absl::Status CheckDatabase(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDatabase> database,
                              OpenBeside(path));
  std::error_code error;
  if (fs::file_size(path, error) > kMaxCheckedBytes) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string result,
                              database->QueryText("PRAGMA quick_check(1)"));
  if (result == "ok") return absl::OkStatus();
  // The first of two lines names the database: always "main".
  return DamagedError(path, result.substr(result.find('\n') + 1));
}

}  // namespace tokenusage
