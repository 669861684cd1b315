// SPDX-License-Identifier: Apache-2.0

// The maker of a call, and what they may do.
//
//   Caller caller{"gateway", {"demo"}, {Role::kReport}};
//   absl::Status status = caller.CheckAccess("demo", Role::kReport);

#ifndef TOKENUSAGE_SERVICE_IDENTITY_CALLER_H_
#define TOKENUSAGE_SERVICE_IDENTITY_CALLER_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace tokenusage {

// A right of a caller in its projects.
enum class Role {
  kReport,   // ReportUsage, StreamUsage
  kQuery,    // QueryUsage, GetUsageRecord, ListUsageRecords, ListProjects
  kMetrics,  // /metrics over HTTP, of the whole server
};

// Stands for all projects that a caller may use. Not a project's name.
inline constexpr std::string_view kAllProjects = "-";

// Returns `report`, `query` or `metrics`, as identity files spell it.
std::string_view RoleName(Role role);

struct Caller {
  // For the operator's logs. Not secret.
  std::string name;

  // The projects' names, or `*` for all.
  std::set<std::string, std::less<>> projects;

  std::set<Role> roles;

  // The credential is valid before this time.
  absl::Time expires = absl::InfiniteFuture();

  // Returns whether the caller may use the project.
  bool MayUse(std::string_view project) const;

  // Returns OK if the caller has the role and may use the project; everyone may
  // use kAllProjects.
  //
  // Errors: PERMISSION_DENIED, with a reason of usage_reporting_service.proto:
  // PROJECT_FORBIDDEN, ROLE_FORBIDDEN.
  absl::Status CheckAccess(std::string_view project, Role role) const;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_CALLER_H_
