// SPDX-License-Identifier: Apache-2.0

// Which PostgreSQL database to connect to.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const PostgresTarget target,
//       PostgresTarget::Parse("postgresql://usage@db.example/usage"));
//   Log("connecting to " + target.display());

#ifndef TOKENUSAGE_STORE_POSTGRES_TARGET_H_
#define TOKENUSAGE_STORE_POSTGRES_TARGET_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace tokenusage {

// Whether `url` is for PostgreSQL: it begins with postgresql:// or postgres://.
bool IsPostgresUrl(std::string_view url);

// The URL with "***" in place of every password in it, for logs and messages.
// Any text may be given; what is not a URL for PostgreSQL comes back as it is.
std::string MaskPostgresUrl(std::string_view url);

// A checked URL and what it means. A value type; immutable.
class PostgresTarget {
 public:
  // Takes all that libpq takes:
  // https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
  // What the URL does not say libpq takes from the environment: PGPASSFILE,
  // PGPASSWORD, PGHOST, PGSSLMODE and so on.
  //
  // Where neither says how to secure the connection and the server is on
  // another machine, sslmode is verify-full: nothing is sent to a server that
  // has not proved to be the right one. Dead connections are noticed within
  // half a minute, unless the URL says otherwise.
  //
  // Errors: INVALID_ARGUMENT; the message holds no password.
  static absl::StatusOr<PostgresTarget> Parse(const std::string& url);

  // libpq's keywords and values.
  const std::vector<std::pair<std::string, std::string>>& settings() const {
    return settings_;
  }

  // The URL without passwords and without what follows its '?', for messages.
  const std::string& display() const { return display_; }

  // As given: holds the password, if the URL does. Never to be shown.
  const std::string& url() const { return url_; }

 private:
  PostgresTarget() = default;

  std::string url_;
  std::string display_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_TARGET_H_
