// SPDX-License-Identifier: Apache-2.0

// What callers are told when the store fails.
//
// The details of a failure (paths, say) are for the operator: they go to
// on_store_failure of the options and never into the status. Thread-safe.

#ifndef TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_
#define TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_

#include "absl/status/status.h"
#include "tokenusage/service/usage_reporting_options.h"

namespace tokenusage {

// For the caller of a query or a listing.
absl::Status ErrorForReader(const absl::Status& store_status,
                            const UsageReportingServiceOptions& options);

// For the caller of a report.
absl::Status ErrorForReporter(const absl::Status& store_status,
                              const UsageReportingServiceOptions& options);

// RESOURCE_EXHAUSTED with SERVER_BUSY.
absl::Status BusyError();

// UNAVAILABLE with SERVER_DRAINING.
absl::Status DrainingError();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_
