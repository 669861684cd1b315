#include "tokenusage/cli/open_store.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/store/postgres_store.h"
#include "tokenusage/store/postgres_target.h"
#include "tokenusage/store/sqlite_store.h"

namespace tokenusage {
namespace {

constexpr std::string_view kSqliteScheme = "sqlite://";

}  // namespace

std::string_view SqlitePathOf(std::string_view url) {
  if (url.substr(0, kSqliteScheme.size()) != kSqliteScheme) return "";
  return url.substr(kSqliteScheme.size());
}

std::string MaskStoreUrl(std::string_view url) { return MaskPostgresUrl(url); }

absl::StatusOr<std::unique_ptr<UsageStore>> OpenStore(
    const std::string& url, const OpenStoreOptions& options) {
  if (IsPostgresUrl(url)) {
    PostgresStoreOptions postgres;
    postgres.on_commit = options.on_commit;
    return OpenPostgresStore(url, postgres);
  }
  const std::string_view path = SqlitePathOf(url);
  if (path.empty()) {
    // What follows the scheme may hold a password.
    const std::size_t scheme = url.find("://");
    return absl::InvalidArgumentError(absl::StrCat(
        "--store: expected sqlite://PATH or postgresql://..., found \"",
        Excerpt(url.substr(0, scheme)),
        scheme == std::string::npos ? "\"" : "://...\""));
  }
  SqliteStoreOptions sqlite;
  sqlite.on_commit = options.on_commit;
  return OpenSqliteStore(std::string(path), sqlite);
}

}  // namespace tokenusage
