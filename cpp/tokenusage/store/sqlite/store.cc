// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/appender.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/file_error.h"
#include "tokenusage/store/sqlite/file_lock.h"
#include "tokenusage/store/sqlite/health.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/reader.h"
#include "tokenusage/store/sqlite/rebuild.h"
#include "tokenusage/store/sqlite/schema.h"
#include "tokenusage/store/sqlite/writer.h"

namespace tokenusage {
namespace {

// Between two steps of a removal.
constexpr absl::Duration kMaxPause = absl::Milliseconds(100);

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

  absl::StatusOr<absl::Time> Horizon() override { return reader_->Horizon(); }
  absl::StatusOr<absl::Time> NewestRecordTime() override {
    return reader_->NewestRecordTime();
  }
  absl::StatusOr<Removal> RemoveRecordsBefore(
      absl::Time horizon, const CallLimits& limits) override;
  absl::StatusOr<CheckReport> Check(const CheckOptions& options) override {
    return reader_->Check(options);
  }
  absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                        const CallLimits& limits) override;

 private:
  using Work = SqliteWriter::Work;
  using Step = std::function<absl::StatusOr<RemovalStep>(SqliteDatabase*)>;

  // Does the work in a transaction between two commits.
  absl::Status RunInTransaction(const Work& work);
  // Takes one step after another until one has nothing left to do; returns how
  // many records went.
  absl::StatusOr<std::int64_t> RunSteps(const CallLimits& limits,
                                        const Step& step);

  const std::string path_;
  // Destroyed from the last to the first: the lock goes when all is closed.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteReader> reader_;
  SqliteWriter writer_;
};

absl::Status SqliteStore::RunInTransaction(const Work& work) {
  return writer_.Run([&work](SqliteAppender* appender) -> absl::Status {
    SqliteDatabase* const database = appender->database();
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN IMMEDIATE"));
    TOKENUSAGE_RETURN_IF_ERROR(work(appender));
    return database->Execute("COMMIT");
  });
}

absl::StatusOr<std::int64_t> SqliteStore::RunSteps(const CallLimits& limits,
                                                   const Step& step) {
  std::int64_t record_count = 0;
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(DeadlineCheck(limits).CheckNow());
    const absl::Time start = absl::Now();
    RemovalStep result;
    TOKENUSAGE_RETURN_IF_ERROR(
        RunInTransaction([&](SqliteAppender* appender) -> absl::Status {
          TOKENUSAGE_ASSIGN_OR_RETURN(result, step(appender->database()));
          return absl::OkStatus();
        }));
    record_count += result.record_count;
    if (result.done) return record_count;
    // Leaves at least half of the time to appends.
    absl::SleepFor(std::min(absl::Now() - start, kMaxPause));
  }
}

absl::StatusOr<Removal> SqliteStore::RemoveRecordsBefore(
    absl::Time horizon, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsHorizon(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(DeadlineCheck(limits).CheckNow());
  TOKENUSAGE_RETURN_IF_ERROR(RunInTransaction([&](SqliteAppender* appender) {
    return MoveHorizon(appender->database(), absl::ToUnixNanos(horizon))
        .status();
  }));
  Removal removal;
  std::int64_t project_id = 0;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      removal.record_count,
      RunSteps(limits, [&project_id](SqliteDatabase* database) {
        return RemoveSomeRecords(database, &project_id);
      }));
  // What a deletion left that was cut short.
  TOKENUSAGE_RETURN_IF_ERROR(RunSteps(limits, [](SqliteDatabase* database) {
                               return RemoveSomeOfDeletedProjects(database, "");
                             }).status());
  return removal;
}

absl::StatusOr<Rebuild> SqliteStore::RebuildRollups(const CallLimits& limits) {
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(
      writer_.Run([&](SqliteAppender* appender) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            rebuild, RebuildSqliteRollups(appender->database(), limits));
        return absl::OkStatus();
      }));
  return rebuild;
}

absl::StatusOr<Removal> SqliteStore::DeleteProject(std::string_view project,
                                                   const CallLimits& limits) {
  if (!CheckProject(project).ok()) {
    return absl::NotFoundError("no such project");
  }
  TOKENUSAGE_RETURN_IF_ERROR(DeadlineCheck(limits).CheckNow());
  const std::string name(project);
  bool found = false;
  TOKENUSAGE_RETURN_IF_ERROR(
      RunInTransaction([&](SqliteAppender* appender) -> absl::Status {
        appender->ForgetProjects();
        TOKENUSAGE_ASSIGN_OR_RETURN(
            found, RenameDeletedProject(appender->database(), name));
        return absl::OkStatus();
      }));
  if (!found) return absl::NotFoundError("no such project");
  Removal removal;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      removal.record_count, RunSteps(limits, [&name](SqliteDatabase* database) {
        return RemoveSomeOfDeletedProjects(database, name);
      }));
  return removal;
}

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
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, InspectDatabaseFile(real_path));
  if (!found && !options.create_if_missing) {
    return absl::NotFoundError("database " + path + ": there is none");
  }
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
