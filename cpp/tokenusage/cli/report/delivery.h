// SPDX-License-Identifier: Apache-2.0

// Delivers the records of a command to the service: a UsageReporter that the
// command waits for as long as the service answers.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       auto delivery, Delivery::Start(flags, std::move(options)));
//   absl::Status status = delivery->reporter().Report(record);
//   ...
//   status = delivery->Wait(&progress);

#ifndef TOKENUSAGE_CLI_REPORT_DELIVERY_H_
#define TOKENUSAGE_CLI_REPORT_DELIVERY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {

class WatchedTransport;

// A reporter, and how its last calls ended. Not thread-safe, but the reporter
// is.
class Delivery {
 public:
  // Starts a reporter with these options, except for the project, which is that
  // of the flags, and max_retry_delay, which is 1 second.
  //
  // Errors: those of ReadConnection, NewGrpcTransport and UsageReporter::Start.
  static absl::StatusOr<std::unique_ptr<Delivery>> Start(
      const ServiceFlags& flags, UsageReporterOptions options);

  UsageReporter& reporter() { return *reporter_; }
  const UsageReporter& reporter() const { return *reporter_; }

  // Waits until the service has answered for all records. Shows on `progress`,
  // unless it is null, the number that it has answered for.
  //
  // Gives up, and returns the reason, if it is pointless to repeat a call that
  // failed, or if the service has not answered for kPatienceAfter, or for
  // kPatienceBefore at the start. Records without an answer are still pending.
  absl::Status Wait(Progress* progress);

 private:
  Delivery(ConnectionOptions connection, WatchedTransport* transport,
           std::unique_ptr<UsageReporter> reporter)
      : connection_(std::move(connection)),
        transport_(transport),
        reporter_(std::move(reporter)) {}

  const ConnectionOptions connection_;
  WatchedTransport* const transport_;  // owned by reporter_
  const std::unique_ptr<UsageReporter> reporter_;
};

// Starts a delivery with a spool, synced to disk. It prints what the reporter
// logs, and each record that the service refuses.
absl::StatusOr<std::unique_ptr<Delivery>> StartSpoolDelivery(
    const ServiceFlags& flags, const std::string& folder);

// Waits for a delivery with a spool, and stops it. An error gives the number of
// records that stay in the spool.
absl::Status FinishSpoolDelivery(Delivery* delivery);

// Returns "stored 5, duplicate 0, refused 0".
std::string DescribeAnswers(const UsageReporterCounters& counters);

// Returns the field, if there is one, and the message.
std::string DescribeRecordError(const v1::RecordError& error);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_REPORT_DELIVERY_H_
