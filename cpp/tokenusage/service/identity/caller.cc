// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/caller.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kReport:
      return "report";
    case Role::kQuery:
      return "query";
    case Role::kMetrics:
      break;
  }
  return "metrics";
}

bool Caller::MayUse(std::string_view project) const {
  return projects.count("*") > 0 || projects.count(project) > 0;
}

absl::Status Caller::CheckAccess(std::string_view project, Role role) const {
  if (project != kAllProjects && !MayUse(project)) {
    return ErrorWithInfo(
        absl::StatusCode::kPermissionDenied, "PROJECT_FORBIDDEN",
        absl::StrCat("project: the caller may not use \"", Excerpt(project),
                     "\", or there is none of that name"),
        {{"field", "project"}});
  }
  if (roles.count(role) == 0) {
    const std::string_view needed = RoleName(role);
    return ErrorWithInfo(
        absl::StatusCode::kPermissionDenied, "ROLE_FORBIDDEN",
        absl::StrCat("the caller needs the role ", ToAbsl(needed),
                     " for this method, and does not have it"),
        {{"role", std::string(needed)}});
  }
  return absl::OkStatus();
}

}  // namespace tokenusage
