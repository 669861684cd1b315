// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/identity_set.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/record_rules.h"

namespace tokenusage {
namespace {

constexpr std::string_view kTokenScheme = "sha256:";
constexpr std::string_view kExpires = "expires:";
constexpr std::string_view kNameRule =
    "a name of 1 to 128 letters, digits and signs";

// Returns whether `name` is fit for logs: short, no quotes, no control
// characters.
bool IsIdentityName(std::string_view name) {
  constexpr std::size_t kMaxBytes = 128;
  if (name.empty() || name.size() > kMaxBytes) return false;
  for (const char c : name) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '#') return false;
  }
  return true;
}

// Returns an error with what was expected, never what was found: it may be a
// token.
absl::Status Expected(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", ToAbsl(what)));
}

absl::StatusOr<std::set<std::string, std::less<>>> ParseProjects(
    absl::string_view text) {
  std::set<std::string, std::less<>> projects;
  for (const absl::string_view project : absl::StrSplit(text, ',')) {
    if (project != "*" && !CheckProject(FromAbsl(project)).ok()) {
      return Expected(
          "projects, each * or [a-z0-9][a-z0-9._-]{0,62}, separated by commas");
    }
    projects.emplace(project);
  }
  return projects;
}

absl::StatusOr<std::set<Role>> ParseRoles(absl::string_view text) {
  std::set<Role> roles;
  for (const absl::string_view role : absl::StrSplit(text, ',')) {
    std::optional<Role> known;
    for (const Role at : {Role::kReport, Role::kQuery, Role::kMetrics}) {
      if (role == ToAbsl(RoleName(at))) known = at;
    }
    if (!known) {
      return Expected(
          "the roles report, query and metrics, separated by commas");
    }
    roles.insert(*known);
  }
  return roles;
}

std::uint64_t KeyOf(const TokenDigest& digest) {
  std::uint64_t key;
  std::memcpy(&key, digest.data(), sizeof(key));
  return key;
}

bool IsCertificateName(absl::string_view name) {
  for (const char* scheme : {"uri:", "dns:", "cn:"}) {
    if (absl::StartsWith(name, scheme)) {
      return name.size() > std::strlen(scheme);
    }
  }
  return false;
}

std::optional<TokenDigest> DigestOfCredential(std::string_view credential) {
  if (credential.substr(0, kTokenScheme.size()) != kTokenScheme) return {};
  return DigestFromHex(credential.substr(kTokenScheme.size()));
}

// Checks a credential. Errors never repeat it, as it may be a token by mistake.
absl::Status CheckCredential(absl::string_view credential) {
  if (absl::StartsWith(credential, ToAbsl(kTokenScheme))) {
    return DigestOfCredential(FromAbsl(credential))
               ? absl::OkStatus()
               : Expected("64 lower-case hexadecimal digits after sha256:");
  }
  return IsCertificateName(credential)
             ? absl::OkStatus()
             : Expected(
                   "a credential: sha256:HEX, uri:URI, dns:NAME or cn:NAME");
}

absl::StatusOr<absl::Time> ParseExpiry(absl::string_view word) {
  absl::Time time;
  std::string error;
  if (!absl::ConsumePrefix(&word, ToAbsl(kExpires)) ||
      !absl::ParseTime(absl::RFC3339_full, word, &time, &error)) {
    return Expected("expires:TIME, such as expires:2027-01-31T00:00:00Z");
  }
  return time;
}

std::string ExpiryOf(absl::Time time) {
  return absl::StrCat(
      ToAbsl(kExpires),
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()));
}

// Returns nullopt for a comment or an empty line.
absl::StatusOr<std::optional<Identity>> ParseLine(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.empty() || absl::StartsWith(words[0], "#")) return std::nullopt;
  if (words.size() != 4 && words.size() != 5) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected the fields name, projects, roles, credential and, if it "
        "expires, expires:TIME, found ",
        words.size()));
  }
  Identity identity;
  if (!IsIdentityName(FromAbsl(words[0]))) return Expected(kNameRule);
  identity.caller.name = std::string(words[0]);
  TOKENUSAGE_ASSIGN_OR_RETURN(identity.caller.projects,
                              ParseProjects(words[1]));
  TOKENUSAGE_ASSIGN_OR_RETURN(identity.caller.roles, ParseRoles(words[2]));
  TOKENUSAGE_RETURN_IF_ERROR(CheckCredential(words[3]));
  identity.credential = std::string(words[3]);
  if (words.size() == 5) {
    TOKENUSAGE_ASSIGN_OR_RETURN(identity.caller.expires, ParseExpiry(words[4]));
  }
  return identity;
}

absl::Status OfLine(int number, const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat("line ", number, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::vector<Identity>> ParseIdentities(std::string_view text) {
  std::vector<Identity> identities;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
    ++number;
    absl::StatusOr<std::optional<Identity>> identity = ParseLine(line);
    if (!identity.ok()) return OfLine(number, identity.status());
    if (!*identity) continue;
    identities.push_back(**std::move(identity));
    identities.back().line = number;
  }
  return identities;
}

absl::StatusOr<IdentitySet> IdentitySet::Parse(std::string_view text) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Identity> identities,
                              ParseIdentities(text));
  IdentitySet set;
  for (const Identity& identity : identities) {
    const absl::Status status = set.Add(identity);
    if (!status.ok()) return OfLine(identity.line, status);
  }
  if (set.size() == 0) {
    return absl::InvalidArgumentError(
        "expected at least one identity, found none: is the file still being "
        "written?");
  }
  return set;
}

absl::Status IdentitySet::Add(const Identity& identity) {
  auto caller = std::make_shared<const Caller>(identity.caller);
  if (const auto digest = DigestOfCredential(identity.credential)) {
    return tokens_.emplace(KeyOf(*digest), Token{*digest, std::move(caller)})
                   .second
               ? absl::OkStatus()
               : absl::InvalidArgumentError(
                     "the token's hash is on another line already");
  }
  return certificates_.emplace(identity.credential, std::move(caller)).second
             ? absl::OkStatus()
             : absl::InvalidArgumentError(
                   "the certificate's name is on another line already");
}

std::shared_ptr<const Caller> IdentitySet::FindByToken(
    std::string_view token) const {
  const TokenDigest digest = DigestOf(token);
  const auto found = tokens_.find(KeyOf(digest));
  if (found == tokens_.end() || !SameDigest(found->second.digest, digest)) {
    return nullptr;
  }
  return found->second.caller;
}

std::shared_ptr<const Caller> IdentitySet::FindByCertificate(
    std::string_view name) const {
  const auto found = certificates_.find(ToAbsl(name));
  return found == certificates_.end() ? nullptr : found->second;
}

absl::StatusOr<std::string> FormatIdentity(const std::string& name,
                                           const std::string& projects,
                                           const std::string& roles,
                                           const TokenDigest& digest,
                                           absl::Time expires) {
  if (!IsIdentityName(name)) return Expected(kNameRule);
  TOKENUSAGE_RETURN_IF_ERROR(ParseProjects(projects).status());
  TOKENUSAGE_RETURN_IF_ERROR(ParseRoles(roles).status());
  return absl::StrCat(
      name, " ", projects, " ", roles, " ", ToAbsl(kTokenScheme), HexOf(digest),
      expires == absl::InfiniteFuture() ? ""
                                        : absl::StrCat(" ", ExpiryOf(expires)));
}

}  // namespace tokenusage
