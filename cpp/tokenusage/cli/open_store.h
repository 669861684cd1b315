// SPDX-License-Identifier: Apache-2.0

// Opens the store that a URL names: the one place that knows the schemes.

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

// Describes the URLs of stores in a flag's help.
inline constexpr char kStoreUrlHelp[] =
    "The database: sqlite://PATH, where PATH is relative or absolute, or "
    "postgresql://USER@HOST/DATABASE";

struct OpenStoreOptions {
  // Creates a SQLite database that does not exist.
  bool create_if_missing = true;

  RollupOptions rollups;

  // Called after each commit with its duration; may be empty.
  std::function<void(absl::Duration)> on_commit;
};

// Opens a store. Errors: INVALID_ARGUMENT if `url` names no store, and those of
// OpenSqliteStore and OpenPostgresStore.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenStore(
    const std::string& url, const OpenStoreOptions& options = {});

// Returns the path in a SQLite URL; empty for other URLs.
std::string_view SqlitePathOf(std::string_view url);

// Returns INVALID_ARGUMENT unless OpenStore knows such URLs. Opens nothing.
absl::Status CheckStoreUrl(const std::string& url);

// Replaces a password in the URL by "***", for logs and messages.
std::string MaskStoreUrl(std::string_view url);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_OPEN_STORE_H_
