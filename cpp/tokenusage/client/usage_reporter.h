// SPDX-License-Identifier: Apache-2.0

// Reports usage to a tokenusage service: the model calls that are reported do
// not wait for the service, and records are kept until it has answered.
//
//   GrpcTransportOptions connection;
//   connection.servers = {"127.0.0.1:8105"};
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto transport, NewGrpcTransport(connection));
//
//   UsageReporterOptions options;
//   options.project = "demo";
//   options.durability = Durability::kProcess;
//   options.spool_folder = "/var/lib/gateway/usage";
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       std::unique_ptr<UsageReporter> reporter,
//       UsageReporter::Start(std::move(options), std::move(transport)));
//
//   v1::UsageRecord record;
//   record.set_operation("images.edits");
//   record.set_model("gpt-image-1");
//   *record.mutable_orq_images_edits() = usage;
//   TOKENUSAGE_RETURN_IF_ERROR(reporter->Report(std::move(record)));
//   ...
//   TOKENUSAGE_RETURN_IF_ERROR(reporter->Stop(absl::Seconds(10)));
//
// docs/client.md says what can be lost and when, and how to choose the sizes.

#ifndef TOKENUSAGE_CLIENT_USAGE_REPORTER_H_
#define TOKENUSAGE_CLIENT_USAGE_REPORTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/client/clock.h"
#include "tokenusage/client/file_system.h"
#include "tokenusage/client/report_transport.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// The promise that Report makes by returning OK.
enum class Durability {
  // The record is in memory: it is lost if the process ends before the record
  // is sent.
  kMemory,
  // The record is in the spool's file: it survives the process, but the machine
  // may lose it if its power fails.
  kProcess,
  // The record is synced to disk: it survives a power failure.
  kDisk,
};

struct UsageReporterOptions {
  // The project of all records. Required.
  std::string project;

  Durability durability = Durability::kMemory;

  // The folder of the spool, created if there is none; its parent must exist.
  // It belongs to one reporter at a time. Required unless durability is
  // kMemory, which has no spool.
  std::string spool_folder;

  // The most memory for records that the service has not answered for, with
  // kMemory. At least 2 MiB.
  std::int64_t max_memory_bytes = 64 << 20;

  // The most disk space for records that wait in the spool. At least 4 MiB. The
  // space of answered records is freed in steps: an eighth of this, at most 8
  // MiB.
  std::int64_t max_spool_bytes = std::int64_t{1} << 30;

  // The most disk space for refused records. Those beyond it are only counted
  // and given to on_refused.
  std::int64_t max_refused_bytes = 64 << 20;

  // The time that Report waits for room if the reporter is full, before it
  // refuses the record. If 0, it refuses at once. A caller that ignores the
  // error drops the record.
  absl::Duration full_timeout = absl::ZeroDuration();

  // A batch is sent when it has this many records (at most 1,000) or bytes (at
  // most 1,000,000), or when its first record is this old.
  int max_batch_records = 1000;
  std::int64_t max_batch_bytes = 1'000'000;
  absl::Duration max_batch_age = absl::Milliseconds(100);

  // The number of batches that may be in flight: 1 to 16, one thread each.
  int max_calls = 2;

  // The deadline of a call: at most 24 hours.
  absl::Duration call_timeout = absl::Seconds(30);

  // The delay after the first failed call, and the longest; each is twice the
  // one before, less a random part of at most half.
  absl::Duration min_retry_delay = absl::Milliseconds(100);
  absl::Duration max_retry_delay = absl::Seconds(30);

  // Called with each record that the service refused, with a spool after it was
  // written to refused.jsonl. Called from the reporter's threads: must be
  // thread-safe, and may call Report, but not Flush or Stop.
  std::function<void(const v1::UsageRecord& record,
                     const v1::RecordError& error)>
      on_refused;

  // Called with one line of English when calls begin to fail and when they
  // succeed again, and with each problem of the spool, such as damage. Called
  // from the reporter's threads: must be thread-safe. The line never contains a
  // token.
  std::function<void(std::string_view message)> log;

  // For tests.
  FileSystem* files = FileSystem::Real();
  Clock* clock = Clock::Real();
};

// Counts since Start; the last two are current values.
struct UsageReporterCounters {
  std::int64_t accepted = 0;    // by Report
  std::int64_t invalid = 0;     // refused by Report: they break a rule
  std::int64_t full = 0;        // refused by Report: the reporter was full
  std::int64_t unwritable = 0;  // refused by Report: the spool failed

  std::int64_t stored = 0;          // by the service
  std::int64_t duplicates = 0;      // that the service had already
  std::int64_t refused = 0;         // by the service
  std::int64_t unkept_refused = 0;  // of these, not in refused.jsonl
  std::int64_t failed_calls = 0;    // and failed reads or writes of files

  std::int64_t lost_records = 0;  // because the spool is damaged
  std::int64_t torn_tails = 0;    // writes to the spool that were cut short

  std::int64_t pending_records = 0;  // now
  std::int64_t pending_bytes = 0;    // now
};

// Takes records and sends them to the service in batches.
//
// Performance. With kMemory, Report encodes the record and copies it under a
// lock; with kProcess it also makes one write. It does not wait for the
// network, unless full_timeout is set. With kDisk it waits for a sync, which
// all threads share; the other overload of Report does not wait. max_calls
// threads send. Memory: max_memory_bytes, or with a spool about 2 MB for each
// of max_calls.
//
// Thread safety. All methods are thread-safe. A process that forks keeps the
// reporter in the parent only: in the child, methods that return a status fail
// with FAILED_PRECONDITION, counters are 0, and the destructor does nothing.
//
// Failures. A call that fails is repeated until the service answers, however
// long that takes, first at the next server, then after growing delays or the
// time that the service asks for. A record that the service refuses is appended
// to refused.jsonl in the spool's folder, with the reason, given to on_refused,
// and not sent again; with kMemory, only on_refused can keep it. A correction
// may overtake the record that it corrects: it is sent again once the records
// before it are answered. If the service refuses a batch as a whole, it is
// split down to the records that are the cause. A spool that is damaged is read
// as far as possible, and what is lost is counted. A record that gets its time
// from a clock more than 5 minutes ahead of the service's is refused.
//
// Idempotency. A record without an id or a time gets them before it is first
// written (a UUIDv7, and the current time). So a record is never stored twice,
// however often it is sent. A record for which Report returned UNAVAILABLE may
// be stored or not: report it again with the same id, if you set one.
class UsageReporter {
 public:
  // Opens the spool, and starts to send what a previous reporter left in it.
  //
  // Errors: INVALID_ARGUMENT, naming the option, if one is not valid;
  // FAILED_PRECONDITION if the spool is in use, belongs to another project, or
  // was written by a newer version; those of FileError if its folder cannot be
  // read and written. Damage is not an error.
  static absl::StatusOr<std::unique_ptr<UsageReporter>> Start(
      UsageReporterOptions options, std::unique_ptr<ReportTransport> transport);

  // Stops at once if Stop was not called. Waits only for calls to be cancelled
  // and for a write or sync in progress.
  ~UsageReporter();

  UsageReporter(const UsageReporter&) = delete;
  UsageReporter& operator=(const UsageReporter&) = delete;

  // Takes a record. Durability says what OK means.
  //
  // Errors: INVALID_ARGUMENT, naming the field, if the record breaks a rule of
  // usage_record.proto or has more than 1,000,000 bytes in binary encoding;
  // RESOURCE_EXHAUSTED if the reporter is full; UNAVAILABLE and others of
  // FileError if the spool cannot be written; CANCELLED after Stop;
  // FAILED_PRECONDITION in a forked child.
  absl::Status Report(v1::UsageRecord record);

  // Takes a record without waiting for a sync, and calls `done` once the
  // promise holds or cannot be kept, but not if Report returns an error. `done`
  // is called from this thread or the reporter's, and must not block. At most
  // 65,536 callbacks wait for the next sync; beyond that, the reporter is full.
  absl::Status Report(v1::UsageRecord record,
                      std::function<void(const absl::Status&)> done);

  // Waits until the service has answered for each record that was taken before.
  // DEADLINE_EXCEEDED if that takes longer than `timeout`, or Stop ends it.
  absl::Status Flush(absl::Duration timeout);

  // Takes no more records, waits as Flush does, and ends all threads. What is
  // left stays in the spool; with kMemory it is lost. The spool is free for
  // another reporter once this one is destroyed. Safe to call again.
  //
  // Errors: DEADLINE_EXCEEDED, with their number, if records are left.
  absl::Status Stop(absl::Duration timeout);

  UsageReporterCounters counters() const;

 private:
  class Impl;
  explicit UsageReporter(std::unique_ptr<Impl> impl);

  absl::Status CheckNotForked() const;

  const int fork_count_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_USAGE_REPORTER_H_
