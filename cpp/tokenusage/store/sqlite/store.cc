// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/store.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/appender.h"
#include "tokenusage/store/sqlite/check.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/connection/disk_space.h"
#include "tokenusage/store/sqlite/connection/file_lock.h"
#include "tokenusage/store/sqlite/connection/reader.h"
#include "tokenusage/store/sqlite/connection/unfinished_file.h"
#include "tokenusage/store/sqlite/deleted_project.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/list.h"
#include "tokenusage/store/sqlite/query.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/sqlite/table/schema.h"
#include "tokenusage/store/sqlite/table/series.h"
#include "tokenusage/store/sqlite/transactions.h"
#include "tokenusage/store/sqlite/writer.h"

namespace tokenusage {
namespace {

// Commits a transaction that changes nothing, over a new connection. Waits up
// to 5 s for the writer.
absl::Status CheckCommit(const std::string& path) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckDiskSpace(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t version,
                              database->QueryInt64("PRAGMA user_version"));
  // SQLite writes the first page even if the number stays the same.
  return database->Execute(absl::StrCat(
      "PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=0;BEGIN IMMEDIATE;"
      "PRAGMA user_version=",
      version, ";COMMIT"));
}

// The longest pause between two steps of a removal.
constexpr absl::Duration kMaxPause = absl::Milliseconds(100);

class SqliteStore : public UsageStore,
                    public StoreMaintenance,
                    private SqliteTransactions {
 public:
  SqliteStore(std::string path, const SqliteStoreOptions& options,
              std::unique_ptr<FileLock> lock,
              std::unique_ptr<SqliteReader> reader,
              std::unique_ptr<SqliteAppender> appender,
              std::string page_token_key)
      : path_(std::move(path)),
        page_token_key_(std::move(page_token_key)),
        lock_(std::move(lock)),
        reader_(std::move(reader)),
        writer_(path_,
                {options.max_records_per_commit, options.max_queued_bytes,
                 options.log_bytes, options.max_known_series,
                 options.rollups.max_series, options.max_unfolded,
                 options.on_commit},
                std::move(appender), &reader_->gate()) {}

  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override {
    writer_.Append(std::move(project), std::move(batch), std::move(limits),
                   std::move(done));
  }

  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override {
    return reader_->Read(query.limits, [&](SqliteDatabase* database) {
      return QueryUsage(database, query);
    });
  }

  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override {
    return reader_->Read({}, [&](SqliteDatabase* database) {
      return GetUsageRecord(database, project, record_id);
    });
  }

  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override {
    return reader_->Read(query.limits, [&](SqliteDatabase* database) {
      return ListUsageRecords(database, query);
    });
  }

  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    return reader_->Read(limits, &ReadProjects);
  }

  absl::Status CheckWritable() override { return CheckCommit(path_); }

  std::string page_token_key() const override { return page_token_key_; }

  StoreStats Stats() const override {
    StoreStats stats = writer_.Stats();
    stats.size_bytes = FileBytes(path_) + FileBytes(path_ + "-wal");
    return stats;
  }

  StoreMaintenance* maintenance() override { return this; }

  absl::StatusOr<std::vector<ProjectRetention>> Retention() override {
    return reader_->Read({}, &ReadRetention);
  }
  absl::Status SetRetention(std::string_view project,
                            absl::Duration retain) override {
    return writer_.Run([&](SqliteAppender* appender) {
      return WriteRetention(appender->database(), project, retain);
    });
  }
  absl::StatusOr<Removal> RemoveRecordsBefore(
      std::string_view project, absl::Time horizon,
      const CallLimits& limits) override;
  absl::StatusOr<CheckReport> Check(const CheckOptions& options) override {
    return reader_->Read(options.limits, [&](SqliteDatabase* database) {
      return CheckSqliteContent(database, options);
    });
  }
  absl::StatusOr<Rebuild> RebuildRollups(const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteRecords(const RecordSelection& selection,
                                        bool dry_run,
                                        const CallLimits& limits) override {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    return DeleteSelectedRecords(selection, dry_run, limits, this);
  }
  absl::StatusOr<std::vector<Deletion>> Deletions() override {
    return reader_->Read({}, &ReadDeletions);
  }
  absl::StatusOr<Rebuild> SetRollupLabels(const RollupLabels& labels,
                                          const CallLimits& limits) override;
  absl::StatusOr<Removal> DeleteProject(std::string_view project,
                                        const CallLimits& limits) override;

 private:
  // SqliteTransactions. Write works between two commits. Pause leaves half of
  // the time to appends, unless a Write takes longer than kMaxPause.
  absl::Status Read(const CallLimits& limits, const Work& work) override {
    return reader_->Read(limits, work);
  }
  absl::Status Write(const Work& work) override {
    return RunInTransaction([&work](SqliteAppender* appender) {
      return work(appender->database());
    });
  }
  void Pause(absl::Duration write_time) override {
    absl::SleepFor(std::min(write_time, kMaxPause));
  }
  // Does the work in a transaction between two commits.
  absl::Status RunInTransaction(const SqliteWriter::Work& work);

  const std::string path_;
  const std::string page_token_key_;
  // Destroyed from the last to the first: the lock ends when all is closed.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<SqliteReader> reader_;
  SqliteWriter writer_;
};

absl::Status SqliteStore::RunInTransaction(const SqliteWriter::Work& work) {
  return writer_.Run([&work](SqliteAppender* appender) -> absl::Status {
    TOKENUSAGE_RETURN_IF_ERROR(appender->Begin());
    TOKENUSAGE_RETURN_IF_ERROR(work(appender));
    return appender->database()->Execute("COMMIT");
  });
}

absl::StatusOr<Removal> SqliteStore::RemoveRecordsBefore(
    std::string_view project, absl::Time horizon, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsHorizon(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  std::int64_t project_id = 0;
  TOKENUSAGE_RETURN_IF_ERROR(
      RunInTransaction([&](SqliteAppender* appender) -> absl::Status {
        SqliteDatabase* const database = appender->database();
        TOKENUSAGE_ASSIGN_OR_RETURN(project_id,
                                    FindProjectId(database, project));
        if (project_id == 0) return absl::OkStatus();
        // Fold now: removed records cannot be read later.
        TOKENUSAGE_RETURN_IF_ERROR(
            appender->label_rollups().Fold(database, limits));
        return MoveHorizon(database, project_id, absl::ToUnixNanos(horizon));
      }));
  // Also finish interrupted deletions of projects.
  TOKENUSAGE_RETURN_IF_ERROR(RemoveDeletedProjects(limits, this));
  return RemoveInSteps(
      limits,
      [project_id](SqliteDatabase* database) {
        return RemoveBeforeHorizon(database, project_id);
      },
      this);
}

absl::StatusOr<Rebuild> SqliteStore::RebuildRollups(const CallLimits& limits) {
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(
      RunInTransaction([&](SqliteAppender* appender) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            rebuild, RebuildSqliteRollups(appender->database(), limits));
        return appender->label_rollups().Rebuild(appender->database(), limits);
      }));
  return rebuild;
}

absl::StatusOr<Rebuild> SqliteStore::SetRollupLabels(const RollupLabels& labels,
                                                     const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(
      RunInTransaction([&](SqliteAppender* appender) -> absl::Status {
        SqliteDatabase* const database = appender->database();
        TOKENUSAGE_RETURN_IF_ERROR(
            appender->label_rollups().SetLabels(database, labels, limits));
        TOKENUSAGE_ASSIGN_OR_RETURN(rebuild,
                                    RebuildSqliteRollups(database, limits));
        return absl::OkStatus();
      }));
  return rebuild;
}

absl::StatusOr<Removal> SqliteStore::DeleteProject(std::string_view project,
                                                   const CallLimits& limits) {
  if (!CheckProject(project).ok()) {
    return absl::NotFoundError("no such project");
  }
  return DeleteProjectInSteps(std::string(project), limits, this);
}

// The application_id is written before WAL mode is on, so it is always in the
// file itself, whatever is in a write-ahead log.
absl::Status CreateDatabaseAt(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA synchronous=FULL"));
  return CreateSqliteSchema(database.get());
}

// A crash at any point leaves either a complete database or none.
absl::Status CreateDatabase(const std::string& path) {
  std::error_code error;
  // An empty file keeps its owner and mode.
  if (std::filesystem::exists(path, error)) return CreateDatabaseAt(path);
  UnfinishedFile::RemoveLeftOver(path);  // the caller has the lock
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto file, UnfinishedFile::For(path));
  TOKENUSAGE_RETURN_IF_ERROR(CreateDatabaseAt(file->path()));
  return file->Finish();
}

// Sets the labels of a database without projects. Compares them with `wanted`
// if it has projects.
absl::Status SetUpLabels(SqliteAppender* appender,
                         const std::optional<RollupLabels>& wanted) {
  SqliteLabelRollups& rollups = appender->label_rollups();
  SqliteDatabase* const database = appender->database();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t projects,
      database->QueryInt64("SELECT count(*) FROM project"));
  if (projects > 0 || !wanted || *wanted == rollups.labels()) {
    return CheckRollupLabels(database->path(), rollups.labels(), wanted);
  }
  TOKENUSAGE_RETURN_IF_ERROR(WriteRollupLabels(database, *wanted));
  return rollups.Load(database);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UsageStore>> OpenSqliteStore(
    const std::string& path, const SqliteStoreOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string real_path, ResolveDatabasePath(path));
  const std::string lock_path = real_path + ".lock";
  // If this very process has the database open, opening and closing its file
  // once more would drop SQLite's locks on it.
  TOKENUSAGE_RETURN_IF_ERROR(FileLock::CheckFree(lock_path));
  // Inspect twice: before the lock, whose file should not be left beside a
  // foreign file, and under it.
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, InspectDatabaseFile(real_path));
  if (!found && !options.create_if_missing) {
    return absl::NotFoundError("database " + path + ": there is none");
  }
  // SQLite would open a file that it cannot write for reading only, and fail at
  // the first append.
  TOKENUSAGE_RETURN_IF_ERROR(CheckDatabaseIsWritable(real_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock,
                              FileLock::Acquire(lock_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path));
  if (!exists) TOKENUSAGE_RETURN_IF_ERROR(CreateDatabase(real_path));
  TOKENUSAGE_RETURN_IF_ERROR(CheckDatabase(real_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteAppender> appender,
      SqliteAppender::Open(real_path, options.rollups.max_series,
                           options.max_known_series));
  TOKENUSAGE_RETURN_IF_ERROR(
      SetUpLabels(appender.get(), options.rollups.labels));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader,
                              SqliteReader::Open(real_path));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::string page_token_key,
      appender->database()->QueryText(
          "SELECT value FROM property WHERE name='page_token_key'"));
  return std::unique_ptr<UsageStore>(new SqliteStore(
      std::move(real_path), options, std::move(lock), std::move(reader),
      std::move(appender), std::move(page_token_key)));
}

}  // namespace tokenusage
