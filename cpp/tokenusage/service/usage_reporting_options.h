// SPDX-License-Identifier: Apache-2.0

// Options of the reporting service.
//
//   UsageReportingServiceOptions options;
//   options.limits.max_read_time = absl::Seconds(10);
//   options.observer.on_store_failure = [](const absl::Status& status) {
//     LOG(ERROR) << status;
//   };

#ifndef TOKENUSAGE_SERVICE_USAGE_REPORTING_OPTIONS_H_
#define TOKENUSAGE_SERVICE_USAGE_REPORTING_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct ServiceLimits {
  // The longest time for a query or a listing, if the caller allows more.
  absl::Duration max_read_time = absl::Seconds(30);

  // The number of reads that run at once, and the number that may wait for
  // their turn before callers are answered RESOURCE_EXHAUSTED.
  int read_threads = 5;
  int max_queued_reads = 256;

  // The bytes of memory that queued reads may take.
  std::int64_t max_queued_read_bytes = 16 << 20;

  // The bytes of answers to reads that may wait for their callers to read them;
  // see AdmissionBudget for how projects share them. Beyond this limit, reads
  // are answered RESOURCE_EXHAUSTED.
  std::int64_t max_unwritten_bytes = 64 << 20;

  // A call whose caller takes longer than this to read its answer is cancelled.
  absl::Duration max_answer_time = absl::Minutes(2);

  // The bytes of memory that reports may take, from the moment a request is
  // read until its answer is written; see AdmissionBudget for how projects
  // share them. Beyond this limit, calls are answered RESOURCE_EXHAUSTED, and
  // streams are not read. A larger batch is taken if it is alone.
  std::int64_t max_admitted_bytes = 48 << 20;

  // A stream is not read while this many of its messages, or bytes of them,
  // have no answer.
  std::size_t max_unanswered_messages = 128;
  std::size_t max_unanswered_bytes = 1 << 20;

  // The time after which a caller should try again after RESOURCE_EXHAUSTED,
  // and after UNAVAILABLE because of a store failure, which takes longer to
  // clear.
  absl::Duration busy_pushback = absl::Milliseconds(200);
  absl::Duration failure_pushback = absl::Seconds(1);
};

// A call, or a message of a stream, that was refused because of its caller.
struct RefusedCall {
  std::string peer;    // as grpc::ServerContext::peer() has it
  std::string caller;  // the identity's name; empty if there is none
  std::string reason;  // of the ErrorInfo, such as CREDENTIALS_INVALID
};

// Callbacks, called from any thread. They must not block.
struct ServiceObserver {
  // Called with each failure of the store. Its details, such as paths, are for
  // the operator; callers are not told.
  std::function<void(const absl::Status&)> on_store_failure =
      [](const absl::Status&) {};

  // Called with the answer to each batch whose records are durable, before the
  // caller gets it.
  std::function<void(const v1::ReportUsageResponse&)> on_report =
      [](const v1::ReportUsageResponse&) {};

  // Called with each record that was stored, before on_report.
  std::function<void(const CheckedRecord&)> on_stored =
      [](const CheckedRecord&) {};

  // Called when credentials, a project or a role are refused.
  std::function<void(const RefusedCall&)> on_refused = [](const RefusedCall&) {
  };
};

struct UsageReportingServiceOptions {
  // Identifies callers. By default everyone may do everything.
  std::shared_ptr<const Authorizer> authorizer = NewOpenAuthorizer();

  ServiceLimits limits;

  ServiceObserver observer;

  // The server's clock, for receive_time and the check of event_time.
  std::function<absl::Time()> now = absl::Now;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_REPORTING_OPTIONS_H_
