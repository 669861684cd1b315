// SPDX-License-Identifier: Apache-2.0

// Identifies the caller of a call.
//
//   auto caller = authorizer.Identify(origin);
//   if (!caller.ok()) return caller.status();
//   absl::Status status = (*caller)->CheckAccess(project, Role::kReport);

#ifndef TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
#define TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/service/identity/caller.h"

namespace tokenusage {

// The origin of a call, whatever its transport.
struct CallOrigin {
  // The connection's other end, as grpc::ServerContext::peer() spells it, such
  // as ipv4:127.0.0.1:54321.
  std::string peer;

  // The values of the call's `authorization` headers. The call owns the text.
  std::vector<std::string_view> authorization;

  // The names of the connection's client certificate, which TLS has verified,
  // as identity files spell them: its URIs, its DNS names, its common name.
  // nullopt if there is no certificate; may be nullopt if there are
  // `authorization` headers, which take precedence.
  std::optional<std::vector<std::string>> certificate_names;
};

// Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // Returns the caller, from this call's headers and the certificate of its
  // connection; never from the message or from another call of the connection.
  // Called for each message of a stream, since credentials may be revoked while
  // streams are open.
  //
  // Errors: UNAUTHENTICATED, with a reason of usage_reporting_service.proto:
  // CREDENTIALS_MISSING, CREDENTIALS_INVALID.
  virtual absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const CallOrigin& origin) const = 0;
};

// Returns an authorizer that needs no credentials: everyone has every role in
// every project.
std::shared_ptr<const Authorizer> NewOpenAuthorizer();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
