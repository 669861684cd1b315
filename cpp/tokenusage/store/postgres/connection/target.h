// SPDX-License-Identifier: Apache-2.0

// Parses the URL of a PostgreSQL database.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const PostgresTarget target,
//       PostgresTarget::Parse("postgresql://usage@db.example/usage"));
//   Log("connecting to " + target.display());

#ifndef TOKENUSAGE_STORE_POSTGRES_CONNECTION_TARGET_H_
#define TOKENUSAGE_STORE_POSTGRES_CONNECTION_TARGET_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace tokenusage {

// Returns whether `url` starts with postgresql:// or postgres://.
bool IsPostgresUrl(std::string_view url);

// Returns the URL with "***" in place of every password, for logs and messages.
// Text that is not a URL for PostgreSQL is returned unchanged.
std::string MaskPostgresUrl(std::string_view url);

// A checked URL and what it means. A value type; immutable.
class PostgresTarget {
 public:
  // Parses a URL. Accepts every URL that libpq accepts:
  // https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
  // libpq takes defaults from the environment: PGPASSFILE, PGPASSWORD, PGHOST,
  // PGSSLMODE and so on.
  //
  // If neither the URL nor the environment says how to secure the connection,
  // and the server is on another machine, sslmode is verify-full: nothing is
  // sent to a server that has not proved its identity. Dead connections are
  // detected within half a minute, unless the URL says otherwise.
  //
  // Errors: INVALID_ARGUMENT; the message holds no password.
  static absl::StatusOr<PostgresTarget> Parse(const std::string& url);

  // Returns libpq's keywords and values.
  const std::vector<std::pair<std::string, std::string>>& settings() const {
    return settings_;
  }

  // Returns the URL without passwords and without its query part, for messages.
  const std::string& display() const { return display_; }

 private:
  PostgresTarget() = default;

  std::string display_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CONNECTION_TARGET_H_
