#include "tokenusage/store/sqlite_wal_buffer.h"

#include <cstddef>
#include <new>
#include <string>
#include <string_view>

#include "sqlite3.h"

namespace tokenusage {
namespace {

constexpr char kName[] = "tokenusage-wal-buffer";

// SQLite's own VFS takes less than 128 KiB at a time.
constexpr std::size_t kMaxPending = 65536;

// A log, and what was not given to the system yet. SQLite has the memory for
// it, and for the file of the VFS below behind it.
struct Log : sqlite3_file {
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods& methods() { return *below()->pMethods; }

  // What fails is lost, as without this: SQLite gives the transaction up.
  int Flush() {
    if (pending.empty()) return SQLITE_OK;
    const int code = methods().xWrite(
        below(), pending.data(), static_cast<int>(pending.size()), pending_at);
    pending.clear();
    return code;
  }

  std::string pending;
  sqlite3_int64 pending_at = 0;
};

Log* ToLog(sqlite3_file* file) { return static_cast<Log*>(file); }

int Close(sqlite3_file* file) {
  Log* const log = ToLog(file);
  const int flushed = log->Flush();
  const int closed = log->methods().xClose(log->below());
  log->~Log();
  return flushed != SQLITE_OK ? flushed : closed;
}

int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  Log* const log = ToLog(file);
  const int code = log->Flush();
  if (code != SQLITE_OK) return code;
  return log->methods().xRead(log->below(), bytes, size, at);
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  Log* const log = ToLog(file);
  const auto pending = static_cast<sqlite3_int64>(log->pending.size());
  const std::string_view added(static_cast<const char*>(bytes),
                               static_cast<std::size_t>(size));
  if (at != log->pending_at + pending ||
      log->pending.size() + added.size() > kMaxPending) {
    const int code = log->Flush();
    if (code != SQLITE_OK) return code;
  }
  if (log->pending.empty()) log->pending_at = at;
  log->pending += added;
  return SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  Log* const log = ToLog(file);
  const int code = log->Flush();
  if (code != SQLITE_OK) return code;
  return log->methods().xTruncate(log->below(), size);
}

int Sync(sqlite3_file* file, int flags) {
  Log* const log = ToLog(file);
  const int code = log->Flush();
  if (code != SQLITE_OK) return code;
  return log->methods().xSync(log->below(), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  Log* const log = ToLog(file);
  const int code = log->Flush();
  if (code != SQLITE_OK) return code;
  return log->methods().xFileSize(log->below(), size);
}

int Lock(sqlite3_file* file, int level) {
  return ToLog(file)->methods().xLock(ToLog(file)->below(), level);
}

int Unlock(sqlite3_file* file, int level) {
  return ToLog(file)->methods().xUnlock(ToLog(file)->below(), level);
}

int CheckReservedLock(sqlite3_file* file, int* locked) {
  return ToLog(file)->methods().xCheckReservedLock(ToLog(file)->below(),
                                                   locked);
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  return ToLog(file)->methods().xFileControl(ToLog(file)->below(), operation,
                                             argument);
}

int SectorSize(sqlite3_file* file) {
  return ToLog(file)->methods().xSectorSize(ToLog(file)->below());
}

int DeviceCharacteristics(sqlite3_file* file) {
  return ToLog(file)->methods().xDeviceCharacteristics(ToLog(file)->below());
}

// Of version 1: a log is neither mapped nor shared memory.
constexpr sqlite3_io_methods kLogMethods = {1,
                                            &Close,
                                            &Read,
                                            &Write,
                                            &Truncate,
                                            &Sync,
                                            &FileSize,
                                            &Lock,
                                            &Unlock,
                                            &CheckReservedLock,
                                            &FileControl,
                                            &SectorSize,
                                            &DeviceCharacteristics,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr};

sqlite3_vfs* DefaultVfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

int Open(sqlite3_vfs* /*vfs*/, const char* path, sqlite3_file* file, int flags,
         int* flags_out) {
  sqlite3_vfs* const below = DefaultVfs();
  if ((flags & SQLITE_OPEN_WAL) == 0) {
    return below->xOpen(below, path, file, flags, flags_out);
  }
  Log* const log = new (file) Log();
  const int code = below->xOpen(below, path, log->below(), flags, flags_out);
  if (code == SQLITE_OK) {
    log->pending.reserve(kMaxPending);
    log->pMethods = &kLogMethods;
    return SQLITE_OK;
  }
  // Some want to be closed even then.
  if (log->below()->pMethods != nullptr)
    Close(file);
  else
    log->~Log();
  file->pMethods = nullptr;  // nothing left to close
  return code;
}

// Registered once, for as long as the program runs.
const char* Register() {
  if (DefaultVfs() == nullptr) return nullptr;
  auto* const vfs = new sqlite3_vfs(*DefaultVfs());
  vfs->zName = kName;
  vfs->pNext = nullptr;
  vfs->szOsFile += static_cast<int>(sizeof(Log));
  vfs->xOpen = &Open;
  return sqlite3_vfs_register(vfs, /*makeDflt=*/0) == SQLITE_OK ? kName
                                                                : nullptr;
}

}  // namespace

const char* WalBufferVfs() {
  static const char* const name = Register();
  return name;
}

}  // namespace tokenusage
