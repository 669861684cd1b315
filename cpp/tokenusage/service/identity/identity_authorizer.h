// SPDX-License-Identifier: Apache-2.0

// Identifies callers by an identity file, which may change while the server
// runs.
//
//   auto authorizer =
//       IdentityAuthorizer::FromFile("/etc/tokenusage/identities");
//   ...
//   absl::Status status = (*authorizer)->Reload();  // on SIGHUP

#ifndef TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_AUTHORIZER_H_
#define TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_AUTHORIZER_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/service/identity/identity_set.h"

namespace tokenusage {

// A call with a token (header `authorization: Bearer TOKEN`) is made by the
// token's owner, or by nobody. A call without one is made by the owner of the
// connection's client certificate, which TLS has verified: the first of its
// URIs, DNS names and common name that the file lists. Thread-safe.
class IdentityAuthorizer final : public Authorizer {
 public:
  // Reads an identity file. Errors, naming the path: those of ReadFile and of
  // IdentitySet::Parse.
  static absl::StatusOr<std::shared_ptr<IdentityAuthorizer>> FromFile(
      const std::string& path);

  // Reads the file again, for all later calls and messages. On an error, as
  // above, the identities stay as they are.
  absl::Status Reload();

  // Returns the number of credentials.
  std::size_t size() const { return Identities()->size(); }

  absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const CallOrigin& origin) const override;

 private:
  explicit IdentityAuthorizer(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::shared_ptr<const Caller>> Find(
      const CallOrigin& origin) const;
  std::shared_ptr<const IdentitySet> Identities() const;

  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const IdentitySet> identities_;  // guarded by mutex_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_AUTHORIZER_H_
