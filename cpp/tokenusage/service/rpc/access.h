// SPDX-License-Identifier: Apache-2.0

// Identifies callers and checks what they may do, and tells the observer about
// those who are refused.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto caller, Identify(options, origin));
//   TOKENUSAGE_RETURN_IF_ERROR(CheckAccess(options, origin, *caller,
//                                          request.project(), Role::kQuery));

#ifndef TOKENUSAGE_SERVICE_RPC_ACCESS_H_
#define TOKENUSAGE_SERVICE_RPC_ACCESS_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/service/usage_reporting_options.h"

namespace tokenusage {

// Returns who makes a call. Errors: those of Authorizer::Identify.
absl::StatusOr<std::shared_ptr<const Caller>> Identify(
    const UsageReportingServiceOptions& options, const CallOrigin& origin);

// Checks that the caller has the role in the project. Errors: those of
// Caller::CheckAccess.
absl::Status CheckAccess(const UsageReportingServiceOptions& options,
                         const CallOrigin& origin, const Caller& caller,
                         std::string_view project, Role role);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_ACCESS_H_
