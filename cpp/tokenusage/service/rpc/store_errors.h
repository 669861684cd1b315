// SPDX-License-Identifier: Apache-2.0

// Turns failures of the store into the errors that callers get. The details of
// a failure, such as paths, are for the operator and never in these statuses.
//
//   if (IsStoreFailure(status)) observer.on_store_failure(status);
//   return ErrorForReporter(status);
//
// All functions are thread-safe.

#ifndef TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_
#define TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace tokenusage {

// Returns whether the store itself failed. Other errors of a store are about
// the call: its deadline, its cancellation, the horizon, too many rows to
// order, too much load.
bool IsStoreFailure(const absl::Status& store_status);

// Returns the error for the caller of a query or a listing, which may take
// `max_read_time`.
absl::Status ErrorForReader(const absl::Status& store_status,
                            absl::Duration max_read_time);

// Returns the error for the caller of a report.
absl::Status ErrorForReporter(const absl::Status& store_status);

// Returns RESOURCE_EXHAUSTED with SERVER_BUSY.
absl::Status BusyError();

// Returns UNAVAILABLE with SERVER_DRAINING.
absl::Status DrainingError();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_STORE_ERRORS_H_
