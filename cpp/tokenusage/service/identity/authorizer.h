// SPDX-License-Identifier: Apache-2.0

// Tells who makes a call.
//
//   auto caller = authorizer.Identify(*context);
//   if (!caller.ok()) return caller.status();
//   absl::Status status = (*caller)->CheckAccess(project, Role::kReport);

#ifndef TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
#define TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "tokenusage/service/identity/caller.h"

namespace tokenusage {

// Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // The caller by what this call itself shows: its metadata, and the
  // certificate of its connection. Never by the message, and never by what
  // another call of the connection left behind. To be asked again for each
  // message of a stream: credentials are revoked while streams are open.
  //
  // Errors: UNAUTHENTICATED, as usage_reporting_service.proto has them:
  // CREDENTIALS_MISSING, CREDENTIALS_INVALID.
  virtual absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const grpc::CallbackServerContext& context) const = 0;

 protected:
  Authorizer() = default;
};

// Asks for no credentials: everybody has every role in every project.
std::shared_ptr<const Authorizer> NewOpenAuthorizer();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_AUTHORIZER_H_
