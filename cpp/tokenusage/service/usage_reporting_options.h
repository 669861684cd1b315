// SPDX-License-Identifier: Apache-2.0

// How the service behaves.

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
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct UsageReportingServiceOptions {
  // Tells who makes a call. By default everybody may do everything.
  std::shared_ptr<const Authorizer> authorizer = NewOpenAuthorizer();

  // How long a query or a listing may take, where the caller allows more.
  absl::Duration max_read_time = absl::Seconds(30);

  // How many reads run at once, and how many may wait for their turn before
  // callers are answered RESOURCE_EXHAUSTED.
  int read_threads = 4;
  int max_queued_reads = 256;

  // How many bytes of memory the queued reads may take.
  std::int64_t max_queued_read_bytes = 16 << 20;

  // How many bytes of answers to reads may wait to be written to callers, who
  // may be slow to read them. Beyond it reads are answered RESOURCE_EXHAUSTED.
  // A project may take as much of it as is still free.
  std::int64_t max_unwritten_bytes = 64 << 20;

  // A call whose caller takes longer than this to read its answer is cancelled.
  absl::Duration max_answer_time = absl::Minutes(2);

  // How many bytes of memory reports may take, from the moment that a request
  // is read until it is answered. Beyond it calls are answered
  // RESOURCE_EXHAUSTED, and streams are not read on. A project may take as much
  // of it as is still free: see AdmissionBudget. A batch that is larger is
  // taken when it is alone.
  std::int64_t max_admitted_bytes = 48 << 20;

  // A stream is not read on while it has as many messages, or bytes of them,
  // without an answer.
  std::size_t max_unanswered_messages = 128;
  std::size_t max_unanswered_bytes = 1 << 20;

  // When a caller that was answered RESOURCE_EXHAUSTED should try again.
  absl::Duration busy_pushback = absl::Milliseconds(200);

  // The same for UNAVAILABLE because of the store, which takes longer to mend.
  absl::Duration failure_pushback = absl::Seconds(1);

  // What page tokens are authenticated with. Servers of one database must have
  // the same key, so that callers can get their pages from any of them. Empty:
  // a random key, which ends with the process.
  std::string page_token_key;

  // The server's clock, for receive_time and the check of event_time.
  std::function<absl::Time()> now = absl::Now;

  // Called with each failure of the store, whose details (paths, say) are for
  // the operator and not for callers. From any thread; must not block.
  std::function<void(const absl::Status&)> on_store_failure =
      [](const absl::Status&) {};

  // Called with the answer to each batch whose records are durable, before the
  // caller gets it. From any thread; must not block.
  std::function<void(const v1::ReportUsageResponse&)> on_report =
      [](const v1::ReportUsageResponse&) {};
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_REPORTING_OPTIONS_H_
