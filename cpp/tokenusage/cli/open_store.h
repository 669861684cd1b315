// SPDX-License-Identifier: Apache-2.0

// The store that a URL names: the one place that knows their schemes.

#ifndef TOKENUSAGE_CLI_OPEN_STORE_H_
#define TOKENUSAGE_CLI_OPEN_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// For a flag's help.
inline constexpr char kStoreUrlHelp[] =
    "The database: sqlite://PATH, two slashes and a path, relative or "
    "absolute; "
    "or postgresql://USER@HOST/DATABASE";

struct OpenStoreOptions {
  // Whether a database is created where there is none.
  bool create_if_missing = true;

  // Called after each commit with the time that it took; may be empty.
  std::function<void(absl::Duration)> on_commit;
};

// Errors: INVALID_ARGUMENT: `url` names no store; those of OpenSqliteStore and
// OpenPostgresStore.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenStore(
    const std::string& url, const OpenStoreOptions& options = {});

// The path in a URL of SQLite; empty where it is none.
std::string_view SqlitePathOf(std::string_view url);

// The same for what only SQLite can do: INVALID_ARGUMENT where it is none, with
// what to do about PostgreSQL.
absl::StatusOr<std::string> RequireSqlitePath(const std::string& url,
                                              std::string_view for_postgres);

// The URL with "***" in place of a password, for logs and messages.
std::string MaskStoreUrl(std::string_view url);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_OPEN_STORE_H_
