// SPDX-License-Identifier: Apache-2.0

// Identifies the caller of a call.
//
//   auto caller = authorizer.Identify(origin);
//   if (!caller.ok()) return caller.status();
//   absl::Status status = (*caller)->CheckAccess(project, Role::kReport);

#ifndef TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
#define TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tokenusage/service/identity/call_origin.h"
#include "tokenusage/service/identity/caller.h"

namespace tokenusage {

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

 protected:
  Authorizer() = default;
};

// Returns an authorizer that needs no credentials: everyone has every role in
// every project.
std::shared_ptr<const Authorizer> NewOpenAuthorizer();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
