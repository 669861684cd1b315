// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/usage_reporter.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/client/backlog.h"
#include "tokenusage/client/fork_count.h"
#include "tokenusage/client/memory_log.h"
#include "tokenusage/client/record_id.h"
#include "tokenusage/client/record_log.h"
#include "tokenusage/client/refused_file.h"
#include "tokenusage/client/sender.h"
#include "tokenusage/client/spool/spool.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"

namespace tokenusage {
namespace {

constexpr std::size_t kMaxRecordBytes = 1'000'000;
constexpr std::int64_t kMinMemoryBytes = 2 << 20;
constexpr std::int64_t kMinSpoolBytes = 4 << 20;
constexpr std::int64_t kMaxSegmentBytes = 8 << 20;

absl::Status CheckOptions(const UsageReporterOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckProject(options.project));
  const bool has_spool = options.durability != Durability::kMemory;
  const struct {
    bool is_kept;
    const char* text;
  } rules[] = {
      {has_spool != options.spool_folder.empty(),
       "spool_folder must be set with kProcess and kDisk, and only then"},
      {has_spool || options.max_memory_bytes >= kMinMemoryBytes,
       "max_memory_bytes must be at least 2 MiB"},
      {!has_spool || options.max_spool_bytes >= kMinSpoolBytes,
       "max_spool_bytes must be at least 4 MiB"},
      {options.max_batch_records >= 1 && options.max_batch_records <= 1000,
       "max_batch_records must be 1 to 1000"},
      {options.max_batch_bytes >= 1 && options.max_batch_bytes <= 1'000'000,
       "max_batch_bytes must be 1 to 1000000"},
      {options.max_calls >= 1 && options.max_calls <= 16,
       "max_calls must be 1 to 16"},
      {options.call_timeout > absl::ZeroDuration() &&
           options.call_timeout <= absl::Hours(24),
       "call_timeout must be positive, and at most 24 hours"},
      {options.min_retry_delay > absl::ZeroDuration() &&
           options.min_retry_delay <= options.max_retry_delay &&
           options.max_retry_delay < absl::InfiniteDuration(),
       "min_retry_delay must be positive and at most max_retry_delay, which "
       "must be finite"},
  };
  for (const auto& rule : rules) {
    if (rule.is_kept) continue;
    return absl::InvalidArgumentError(absl::StrCat("options: ", rule.text));
  }
  return absl::OkStatus();
}

// Sets the id and the time if they are missing. A record that is sent again
// must have the same ones, so this comes before the first write.
void Complete(Clock* clock, v1::UsageRecord* record) {
  if (!record->record_id().empty() && record->has_event_time()) return;
  const absl::Time now = clock->Now();
  if (record->record_id().empty()) record->set_record_id(NewRecordId(now));
  if (!record->has_event_time()) {
    *record->mutable_event_time() = TimestampFromTime(now);
  }
}

absl::Status InvalidRecord(const v1::RecordError& error) {
  return absl::InvalidArgumentError(absl::StrCat(
      error.field(), error.field().empty() ? "" : ": ", error.message()));
}

}  // namespace

class UsageReporter::Impl {
 public:
  Impl(UsageReporterOptions options, std::unique_ptr<ReportTransport> transport)
      : options_(std::move(options)), transport_(std::move(transport)) {}

  absl::Status Start();
  // Both set the record's id and time if they are missing.
  absl::Status Report(v1::UsageRecord* record,
                      std::function<void(const absl::Status&)> done);
  absl::Status ReportAndWait(v1::UsageRecord* record);
  absl::Status Flush(absl::Duration timeout);
  absl::Status Stop(absl::Duration timeout);
  UsageReporterCounters counters() const;

 private:
  absl::StatusOr<std::unique_ptr<RecordLog>> OpenLog();
  absl::Status Append(EncodedRecord* record,
                      std::function<void(const absl::Status&)> done);
  // Counts a record that was not taken.
  absl::Status CountError(absl::Status status);
  absl::Status Left() const;

  const UsageReporterOptions options_;
  const std::unique_ptr<ReportTransport> transport_;
  const Spool* spool_ = nullptr;  // owned by backlog_
  std::unique_ptr<RefusedFile> refused_;
  std::unique_ptr<Backlog> backlog_;
  std::unique_ptr<Sender> sender_;
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;  // guarded by stop_mutex_

  std::atomic<std::int64_t> accepted_{0};
  std::atomic<std::int64_t> invalid_{0};
  std::atomic<std::int64_t> full_{0};
  std::atomic<std::int64_t> unwritable_{0};
};

absl::StatusOr<std::unique_ptr<RecordLog>> UsageReporter::Impl::OpenLog() {
  if (options_.durability == Durability::kMemory) {
    return std::make_unique<MemoryLog>(
        BatchLimits{options_.max_batch_records,
                    static_cast<std::size_t>(options_.max_batch_bytes)});
  }
  SpoolOptions spool;
  spool.folder = options_.spool_folder;
  spool.project = options_.project;
  spool.files = options_.files;
  spool.syncs = options_.durability == Durability::kDisk;
  // Space is freed by whole segments.
  spool.segment_bytes =
      std::min(kMaxSegmentBytes, options_.max_spool_bytes / 8);
  if (options_.log) spool.log = options_.log;
  refused_ =
      std::make_unique<RefusedFile>(options_.spool_folder, options_.files,
                                    options_.max_refused_bytes, spool.syncs);
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<Spool> opened,
                              Spool::Open(std::move(spool)));
  spool_ = opened.get();
  return opened;
}

absl::Status UsageReporter::Impl::Start() {
  TOKENUSAGE_RETURN_IF_ERROR(CheckOptions(options_));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<RecordLog> log, OpenLog());
  BacklogOptions backlog;
  backlog.batch.max_records = options_.max_batch_records;
  backlog.batch.max_bytes = static_cast<std::size_t>(options_.max_batch_bytes);
  backlog.max_batch_age = options_.max_batch_age;
  backlog.max_bytes =
      spool_ == nullptr ? options_.max_memory_bytes : options_.max_spool_bytes;
  backlog_ = std::make_unique<Backlog>(backlog, std::move(log), options_.clock);
  sender_ = std::make_unique<Sender>(&options_, backlog_.get(),
                                     transport_.get(), refused_.get());
  const std::lock_guard lock(stop_mutex_);
  for (int i = 0; i < options_.max_calls; ++i) {
    threads_.emplace_back([this] { sender_->Run(); });
  }
  if (options_.durability == Durability::kDisk) {
    threads_.emplace_back([this] { backlog_->RunSyncs(); });
  }
  return absl::OkStatus();
}

absl::Status UsageReporter::Impl::Report(
    v1::UsageRecord* record, std::function<void(const absl::Status&)> done) {
  Complete(options_.clock, record);
  if (const auto error = CheckRecord(*record, CountRecord(*record))) {
    ++invalid_;
    return InvalidRecord(*error);
  }
  thread_local EncodedRecord encoded;
  encoded.bytes.resize(EncodedRecord::kHeaderBytes);
  if (!record->AppendToString(&encoded.bytes) ||
      encoded.record().size() > kMaxRecordBytes) {
    ++invalid_;
    return absl::InvalidArgumentError(
        absl::StrCat("expected a record of at most ", kMaxRecordBytes,
                     " bytes, found ", record->ByteSizeLong()));
  }
  return Append(&encoded, std::move(done));
}

absl::Status UsageReporter::Impl::Append(
    EncodedRecord* record, std::function<void(const absl::Status&)> done) {
  const auto on_promise = [this, done](const absl::Status& status) {
    ++(status.ok() ? accepted_ : unwritable_);
    if (done) done(status);
  };
  if (options_.durability != Durability::kDisk) {
    const absl::Status status =
        CountError(backlog_->Append(record, options_.full_timeout, nullptr));
    if (status.ok()) on_promise(status);
    return status;
  }
  return CountError(
      backlog_->Append(record, options_.full_timeout, on_promise));
}

absl::Status UsageReporter::Impl::CountError(absl::Status status) {
  if (absl::IsResourceExhausted(status)) {
    ++full_;
  } else if (!status.ok() && !absl::IsCancelled(status)) {
    ++unwritable_;
  }
  return status;
}

absl::Status UsageReporter::Impl::ReportAndWait(v1::UsageRecord* record) {
  if (options_.durability != Durability::kDisk) {
    return Report(record, nullptr);
  }
  std::mutex mutex;
  std::condition_variable synced;
  std::optional<absl::Status> result;
  TOKENUSAGE_RETURN_IF_ERROR(Report(record, [&](const absl::Status& status) {
    const std::lock_guard lock(mutex);
    result = status;
    synced.notify_one();
  }));
  std::unique_lock lock(mutex);
  synced.wait(lock, [&] { return result.has_value(); });
  return *result;
}

absl::Status UsageReporter::Impl::Left() const {
  return absl::DeadlineExceededError(absl::StrCat(
      "the service has not answered for ", backlog_->record_count(), " records",
      spool_ == nullptr ? "" : ", which stay in the spool"));
}

absl::Status UsageReporter::Impl::Flush(absl::Duration timeout) {
  return backlog_->Flush(timeout) ? absl::OkStatus() : Left();
}

absl::Status UsageReporter::Impl::Stop(absl::Duration timeout) {
  backlog_->StopAppends();
  const bool is_flushed = backlog_->Flush(timeout);
  backlog_->Close();
  sender_->Stop();
  {
    const std::lock_guard lock(stop_mutex_);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  return is_flushed ? absl::OkStatus() : Left();
}

UsageReporterCounters UsageReporter::Impl::counters() const {
  UsageReporterCounters counters = sender_->counters();
  counters.accepted = accepted_;
  counters.invalid = invalid_;
  counters.full = full_;
  counters.unwritable = unwritable_;
  if (spool_ != nullptr) {
    const SpoolDamage damage = spool_->damage();
    counters.lost_records = damage.lost_records;
    counters.torn_tails = damage.torn_tails;
  }
  counters.pending_records = backlog_->record_count();
  counters.pending_bytes = backlog_->bytes();
  return counters;
}

UsageReporter::UsageReporter(std::unique_ptr<Impl> impl)
    : fork_count_(ForkCount()), impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<UsageReporter>> UsageReporter::Start(
    UsageReporterOptions options, std::unique_ptr<ReportTransport> transport) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(transport));
  TOKENUSAGE_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<UsageReporter>(new UsageReporter(std::move(impl)));
}

// A forked child has a copy of the object, but none of its threads, and locks
// that nobody will release.
absl::Status UsageReporter::CheckNotForked() const {
  if (ForkCount() == fork_count_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the reporter belongs to the process that this one was forked from; "
      "start another in this process");
}

UsageReporter::~UsageReporter() {
  if (CheckNotForked().ok()) {
    impl_->Stop(absl::ZeroDuration()).IgnoreError();
  } else {
    // The threads exist only in the parent, so the child leaks the object.
    static_cast<void>(impl_.release());
  }
}

absl::Status UsageReporter::Report(v1::UsageRecord record) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckNotForked());
  return impl_->ReportAndWait(&record);
}

absl::Status UsageReporter::Report(
    v1::UsageRecord record, std::function<void(const absl::Status&)> done) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckNotForked());
  return impl_->Report(&record, std::move(done));
}

absl::Status UsageReporter::Flush(absl::Duration timeout) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckNotForked());
  return impl_->Flush(timeout);
}

absl::Status UsageReporter::Stop(absl::Duration timeout) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckNotForked());
  return impl_->Stop(timeout);
}

UsageReporterCounters UsageReporter::counters() const {
  if (!CheckNotForked().ok()) return {};
  return impl_->counters();
}

}  // namespace tokenusage
