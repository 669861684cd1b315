// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/identity_authorizer.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

constexpr std::string_view kBearer = "bearer ";

absl::Status Unauthenticated(std::string_view reason,
                             std::string_view message) {
  return ErrorWithInfo(absl::StatusCode::kUnauthenticated, reason, message);
}

absl::Status InvalidCredentials() {
  return Unauthenticated(
      "CREDENTIALS_INVALID",
      "the server does not know the token or certificate of this call");
}

absl::StatusOr<std::shared_ptr<const Caller>> CallerOfToken(
    const IdentitySet& identities, std::string_view header) {
  if (!absl::StartsWithIgnoreCase(ToAbsl(header), ToAbsl(kBearer))) {
    return InvalidCredentials();
  }
  auto caller = identities.FindByToken(header.substr(kBearer.size()));
  if (caller == nullptr) return InvalidCredentials();
  return caller;
}

absl::StatusOr<std::shared_ptr<const Caller>> CallerOfCertificate(
    const IdentitySet& identities,
    const std::optional<std::vector<std::string>>& names) {
  if (!names) {
    return Unauthenticated(
        "CREDENTIALS_MISSING",
        "this server needs a token, as \"authorization: Bearer TOKEN\", or a "
        "client certificate");
  }
  for (const std::string& name : *names) {
    auto caller = identities.FindByCertificate(name);
    if (caller != nullptr) return caller;
  }
  return InvalidCredentials();
}

}  // namespace

absl::StatusOr<std::shared_ptr<IdentityAuthorizer>>
IdentityAuthorizer::FromFile(const std::string& path) {
  std::shared_ptr<IdentityAuthorizer> authorizer(new IdentityAuthorizer(path));
  TOKENUSAGE_RETURN_IF_ERROR(authorizer->Reload());
  return authorizer;
}

absl::Status IdentityAuthorizer::Reload() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path_));
  auto parsed = IdentitySet::Parse(text);
  if (!parsed.ok()) {
    return absl::Status(
        parsed.status().code(),
        absl::StrCat("file ", path_, ": ", parsed.status().message()));
  }
  auto identities = std::make_shared<const IdentitySet>(*std::move(parsed));
  const std::lock_guard<std::mutex> lock(mutex_);
  identities_ = std::move(identities);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Caller>> IdentityAuthorizer::Identify(
    const CallOrigin& origin) const {
  TOKENUSAGE_ASSIGN_OR_RETURN(auto caller, Find(origin));
  if (absl::Now() >= caller->expires) {
    return Unauthenticated("CREDENTIALS_INVALID",
                           "the token or certificate of this call has expired");
  }
  return caller;
}

absl::StatusOr<std::shared_ptr<const Caller>> IdentityAuthorizer::Find(
    const CallOrigin& origin) const {
  const std::shared_ptr<const IdentitySet> identities = Identities();
  if (origin.authorization.empty()) {
    return CallerOfCertificate(*identities, origin.certificate_names);
  }
  // If there are two tokens, a proxy may have checked the one that the server
  // would ignore.
  if (origin.authorization.size() > 1) return InvalidCredentials();
  return CallerOfToken(*identities, origin.authorization.front());
}

std::shared_ptr<const IdentitySet> IdentityAuthorizer::Identities() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return identities_;
}

}  // namespace tokenusage
