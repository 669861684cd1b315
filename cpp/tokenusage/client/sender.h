// SPDX-License-Identifier: Apache-2.0

// Sends each batch until the service has answered for all of its records.

#ifndef TOKENUSAGE_CLIENT_SENDER_H_
#define TOKENUSAGE_CLIENT_SENDER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/client/backlog.h"
#include "tokenusage/client/clock.h"
#include "tokenusage/client/record_log.h"
#include "tokenusage/client/refused_file.h"
#include "tokenusage/client/report_transport.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {

// Returns whether the service refused the request, or the request is too long
// for the transport: sending it again would fail again, so its records are sent
// in smaller requests, and one alone is refused. Every other call that failed
// is repeated.
bool IsRefusedBatch(const ReportResult& result);

// Thread-safe.
class Sender {
 public:
  // `refused` may be null. The arguments must outlive the sender.
  Sender(const UsageReporterOptions* options, Backlog* backlog,
         ReportTransport* transport, RefusedFile* refused)
      : options_(*options),
        backlog_(backlog),
        transport_(transport),
        refused_(refused) {}

  // Sends batches until Stop is called. May run in several threads.
  void Run();

  // Ends all waits and calls.
  void Stop();

  // Returns the counters from `stored` to `failed_calls`; the others are 0.
  UsageReporterCounters counters() const;

 private:
  // Return false if the sender was stopped; then the outcome is unknown.
  bool Deliver(const Batch& batch);
  bool DeliverHalves(const Batch& batch);
  bool Refuse(std::string_view record, const v1::RecordError& error);
  bool Accept(const Batch& batch, const v1::ReportUsageResponse& response,
              bool was_oldest);

  void OnFailedCall(const absl::Status& status);
  void OnAnswer();
  bool WaitToRetry(int failures, absl::Duration pushback);

  const UsageReporterOptions& options_;
  Backlog* const backlog_;
  ReportTransport* const transport_;
  RefusedFile* const refused_;

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable stop_;
  bool is_stopped_ = false;
  bool is_failing_ = false;
  UsageReporterCounters counters_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_SENDER_H_
