// SPDX-License-Identifier: Apache-2.0

// Shared by `tokenusage report --spool` and `tokenusage spool drain`: a
// UsageReporter on a spool, and waiting until it is empty.

#ifndef TOKENUSAGE_CLI_CLIENT_SPOOL_DELIVERY_H_
#define TOKENUSAGE_CLI_CLIENT_SPOOL_DELIVERY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {

// Starts a reporter that keeps records on disk, in a folder. It prints what it
// has to say, and each record that the service refuses.
//
// Errors: those of ReadConnection and of UsageReporter::Start.
absl::StatusOr<std::unique_ptr<UsageReporter>> StartSpoolReporter(
    const ServiceFlags& flags, const std::string& folder);

// Waits until the service has answered for all records, as long as it answers;
// shows the progress. Returns UNAVAILABLE, with the number of records that stay
// in the spool, if it has not answered for 15 seconds.
absl::Status Deliver(UsageReporter* reporter);

// Returns "stored 5, duplicate 0, refused 0, waiting 0".
std::string DescribeDelivery(const UsageReporterCounters& counters);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_SPOOL_DELIVERY_H_
