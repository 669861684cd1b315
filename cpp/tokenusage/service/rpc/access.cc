// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/access.h"

#include <string>

#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

void Tell(const UsageReportingServiceOptions& options, const CallOrigin& origin,
          const std::string& caller_name, const absl::Status& status) {
  const auto info = GetErrorInfo(status);
  options.observer.on_refused(
      {origin.peer, caller_name, info ? info->reason : ""});
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Caller>> Identify(
    const UsageReportingServiceOptions& options, const CallOrigin& origin) {
  auto caller = options.authorizer->Identify(origin);
  if (!caller.ok()) Tell(options, origin, "", caller.status());
  return caller;
}

absl::Status CheckAccess(const UsageReportingServiceOptions& options,
                         const CallOrigin& origin, const Caller& caller,
                         std::string_view project, Role role) {
  absl::Status status = caller.CheckAccess(project, role);
  if (!status.ok()) Tell(options, origin, caller.name, status);
  return status;
}

}  // namespace tokenusage
