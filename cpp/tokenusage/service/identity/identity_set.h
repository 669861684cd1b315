// SPDX-License-Identifier: Apache-2.0

// The callers that a server knows, as an identity file lists them.
//
//   # name    projects   roles         credential
//   gateway   demo,web   report        sha256:9f86d081884c7d65...
//   finance   *          query         uri:spiffe://example.com/finance
//
//   auto identities = IdentitySet::Parse(text);
//   if (!identities.ok()) return identities.status();
//   auto caller = identities->FindByToken(token);
//
// Each line is one credential; words are separated by spaces or tabs. A line
// whose first word starts with `#` is a comment. Several lines may have the
// same name, for example while a token is being replaced. A credential is
//
//  - sha256:HEX, the SHA-256 of a bearer token in 64 lower-case digits; or,
//    from a client's certificate,
//  - uri:URI or dns:NAME, a subject alternative name;
//  - cn:NAME, the subject's common name, if it holds no spaces.
//
// A fifth word, such as expires:2027-01-31T00:00:00Z, says when the credential
// stops being valid.
//
// The file holds no secrets.

#ifndef TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_SET_H_
#define TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_SET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/service/identity/caller.h"
#include "tokenusage/service/identity/token.h"

namespace tokenusage {

// A line of an identity file.
struct Identity {
  Caller caller;
  std::string credential;
  int line = 0;  // its number, from 1
};

// Returns the lines of an identity file. Errors: those of IdentitySet::Parse
// that concern one line.
absl::StatusOr<std::vector<Identity>> ParseIdentities(std::string_view text);

// Immutable, so thread-safe.
class IdentitySet {
 public:
  // Parses an identity file. Errors: INVALID_ARGUMENT, which names the line and
  // what is wrong with it, and never repeats a credential. A text without
  // identities is an error, too: it would lock everyone out.
  static absl::StatusOr<IdentitySet> Parse(std::string_view text);

  // Returns the owner of a token; null if nobody has it.
  std::shared_ptr<const Caller> FindByToken(std::string_view token) const;

  // Returns the owner of a certificate with this name, written as in the file
  // with its `uri:`, `dns:` or `cn:`; null if nobody has one.
  std::shared_ptr<const Caller> FindByCertificate(std::string_view name) const;

  // Returns the number of credentials.
  std::size_t size() const { return tokens_.size() + certificates_.size(); }

 private:
  struct Token {
    TokenDigest digest;
    std::shared_ptr<const Caller> caller;
  };

  absl::Status Add(const Identity& identity);

  // By the digest's first bytes. The time of a look-up may reveal something of
  // a digest, which does not help to find its token.
  absl::flat_hash_map<std::uint64_t, Token> tokens_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Caller>> certificates_;
};

// Returns a line of an identity file for a new token. The arguments are as in
// the file.
//
// Errors: INVALID_ARGUMENT if an argument is not valid there.
absl::StatusOr<std::string> FormatIdentity(
    const std::string& name, const std::string& projects,
    const std::string& roles, const TokenDigest& digest,
    absl::Time expires = absl::InfiniteFuture());

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_IDENTITY_SET_H_
