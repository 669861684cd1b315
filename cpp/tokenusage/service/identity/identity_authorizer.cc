// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/identity_authorizer.h"

#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

constexpr std::string_view kBearer = "bearer ";

std::string_view ViewOf(const grpc::string_ref& text) {
  return std::string_view(text.data(), text.size());
}

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

// Uses only what the TLS handshake has verified: other code of the process
// could add a property of the same name to a plain-text connection.
absl::StatusOr<std::shared_ptr<const Caller>> CallerOfCertificate(
    const IdentitySet& identities, const grpc::AuthContext& connection) {
  if (!connection.IsPeerAuthenticated()) {
    return Unauthenticated(
        "CREDENTIALS_MISSING",
        "this server needs a token, as metadata \"authorization: Bearer "
        "TOKEN\", or a client certificate");
  }
  for (const auto& [property, scheme] :
       {std::pair(GRPC_PEER_URI_PROPERTY_NAME, "uri:"),
        std::pair(GRPC_PEER_DNS_PROPERTY_NAME, "dns:"),
        std::pair(GRPC_X509_CN_PROPERTY_NAME, "cn:")}) {
    for (const grpc::string_ref& value :
         connection.FindPropertyValues(property)) {
      auto caller = identities.FindByCertificate(
          absl::StrCat(scheme, ToAbsl(ViewOf(value))));
      if (caller != nullptr) return caller;
    }
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
    const grpc::CallbackServerContext& context) const {
  TOKENUSAGE_ASSIGN_OR_RETURN(auto caller, Find(context));
  if (absl::Now() >= caller->expires) {
    return Unauthenticated("CREDENTIALS_INVALID",
                           "the token or certificate of this call has expired");
  }
  return caller;
}

absl::StatusOr<std::shared_ptr<const Caller>> IdentityAuthorizer::Find(
    const grpc::CallbackServerContext& context) const {
  const std::shared_ptr<const IdentitySet> identities = Identities();
  const auto [first, last] =
      context.client_metadata().equal_range("authorization");
  if (first == last) {
    return CallerOfCertificate(*identities, *context.auth_context());
  }
  // Of two tokens, a proxy may have checked the other one.
  if (std::next(first) != last) return InvalidCredentials();
  return CallerOfToken(*identities, ViewOf(first->second));
}

std::shared_ptr<const IdentitySet> IdentityAuthorizer::Identities() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return identities_;
}

}  // namespace tokenusage
