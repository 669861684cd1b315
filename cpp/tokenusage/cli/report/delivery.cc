// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/report/delivery.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/sender.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {

// Remembers how the last calls ended. Thread-safe.
class WatchedTransport : public ReportTransport {
 public:
  explicit WatchedTransport(std::unique_ptr<ReportTransport> transport)
      : transport_(std::move(transport)) {}

  ReportResult Report(const std::string& request,
                      absl::Duration timeout) override {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    ReportResult result = transport_->Report(request, timeout);
    const std::lock_guard lock(mutex_);
    --running_;
    has_answered_ |= result.status.ok() || GetErrorInfo(result.status);
    // The reporter repeats all other calls.
    if (result.status.ok() || IsRefusedBatch(result)) {
      last_answer_ = absl::Now();
      failure_ = absl::OkStatus();
    } else {
      failure_ = result.status;
      is_hopeless_ |=
          !IsWorthRetrying(result.status, result.pushback.has_value());
    }
    return result;
  }

  void Cancel() override { transport_->Cancel(); }

  // Returns the reason to give up; OK if it is too early. Waiting began at
  // `start`.
  absl::Status Failure(absl::Time start) const {
    const std::lock_guard lock(mutex_);
    if (is_hopeless_ && !failure_.ok()) return failure_;
    const absl::Time since = std::max(start, last_answer_);
    const absl::Duration patience =
        has_answered_ ? kPatienceAfter : kPatienceBefore;
    // A slow call has its own timeout.
    if (absl::Now() - since < patience || (failure_.ok() && running_ > 0)) {
      return absl::OkStatus();
    }
    return failure_.ok() ? absl::UnavailableError("no answer") : failure_;
  }

 private:
  const std::unique_ptr<ReportTransport> transport_;
  mutable std::mutex mutex_;  // guards the members below
  int running_ = 0;
  bool has_answered_ = false;
  bool is_hopeless_ = false;
  absl::Status failure_;  // of the last call
  absl::Time last_answer_ = absl::InfinitePast();
};

absl::StatusOr<std::unique_ptr<Delivery>> Delivery::Start(
    const ServiceFlags& flags, UsageReporterOptions options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(ConnectionOptions connection,
                              ReadConnection(flags));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<ReportTransport> grpc,
                              NewGrpcTransport(connection.transport));
  auto watched = std::make_unique<WatchedTransport>(std::move(grpc));
  WatchedTransport* const transport = watched.get();
  options.project = flags.project;
  options.max_retry_delay = absl::Seconds(1);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<UsageReporter> reporter,
      UsageReporter::Start(std::move(options), std::move(watched)));
  return std::unique_ptr<Delivery>(
      new Delivery(std::move(connection), transport, std::move(reporter)));
}

absl::Status Delivery::Wait(Progress* progress) {
  const absl::Time start = absl::Now();
  const UsageReporterCounters before = reporter_->counters();
  while (!reporter_->Flush(absl::Milliseconds(200)).ok()) {
    if (progress != nullptr) {
      const std::int64_t done =
          before.pending_records - reporter_->counters().pending_records;
      progress->Show(done, static_cast<double>(done) /
                               static_cast<double>(before.pending_records));
    }
    const absl::Status failure = transport_->Failure(start);
    if (!failure.ok()) return DescribeFailure(connection_, failure);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Delivery>> StartSpoolDelivery(
    const ServiceFlags& flags, const std::string& folder) {
  UsageReporterOptions options;
  options.durability = Durability::kDisk;
  options.spool_folder = folder;
  options.full_timeout = kPatienceAfter;
  options.log = [](std::string_view message) { PrintError(message); };
  options.on_refused = [](const v1::UsageRecord& record,
                          const v1::RecordError& error) {
    PrintError(absl::StrCat("record ", record.record_id(), ": ",
                            DescribeRecordError(error)));
  };
  return Delivery::Start(flags, std::move(options));
}

absl::Status FinishSpoolDelivery(Delivery* delivery) {
  Progress progress("records");
  const absl::Status failure = delivery->Wait(&progress);
  progress.Clear();
  const absl::Status stopped = delivery->reporter().Stop(absl::ZeroDuration());
  if (failure.ok() || stopped.ok()) return stopped;
  return absl::Status(failure.code(),
                      absl::StrCat(failure.message(), "; ", stopped.message()));
}

std::string DescribeAnswers(const UsageReporterCounters& counters) {
  return absl::StrCat("stored ", counters.stored, ", duplicate ",
                      counters.duplicates, ", refused ", counters.refused);
}

std::string DescribeRecordError(const v1::RecordError& error) {
  return absl::StrCat(error.field(), error.field().empty() ? "" : ": ",
                      error.message());
}

}  // namespace tokenusage
