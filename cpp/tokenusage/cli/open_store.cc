// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/open_store.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage {

std::string_view SqlitePathOf(std::string_view url) {
  constexpr std::string_view kSqliteScheme = "sqlite://";
  if (url.substr(0, kSqliteScheme.size()) != kSqliteScheme) return "";
  return url.substr(kSqliteScheme.size());
}

absl::Status CheckStoreUrl(const std::string& url) {
  if (IsPostgresUrl(url) || !SqlitePathOf(url).empty()) return absl::OkStatus();
  // Quotes only the scheme: the rest may hold a password.
  const std::size_t scheme = url.find("://");
  return absl::InvalidArgumentError(absl::StrCat(
      "--store: expected sqlite://PATH or postgresql://..., found \"",
      Excerpt(url.substr(0, scheme)),
      scheme == std::string::npos ? "\"" : "://...\""));
}

// A SQLite URL holds no password.
std::string MaskStoreUrl(std::string_view url) { return MaskPostgresUrl(url); }

absl::StatusOr<std::unique_ptr<UsageStore>> OpenStore(
    const std::string& url, const OpenStoreOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckStoreUrl(url));
  if (IsPostgresUrl(url)) {
    PostgresStoreOptions postgres;
    postgres.rollups = options.rollups;
    postgres.on_commit = options.on_commit;
    return OpenPostgresStore(url, postgres);
  }
  SqliteStoreOptions sqlite;
  sqlite.create_if_missing = options.create_if_missing;
  sqlite.rollups = options.rollups;
  sqlite.on_commit = options.on_commit;
  return OpenSqliteStore(std::string(SqlitePathOf(url)), sqlite);
}

}  // namespace tokenusage
