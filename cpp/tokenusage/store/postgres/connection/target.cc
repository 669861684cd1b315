// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/connection/target.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "libpq-fe.h"
#include "tokenusage/base/loopback.h"

namespace tokenusage {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr char kMask[] = "***";

std::size_t SchemeSize(std::string_view url) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (url.substr(0, scheme.size()) == scheme) return scheme.size();
  }
  return 0;
}

bool Has(const Settings& settings, std::string_view keyword) {
  return std::any_of(settings.begin(), settings.end(),
                     [&](const auto& entry) { return entry.first == keyword; });
}

std::string ValueOf(const Settings& settings, std::string_view keyword,
                    const char* variable) {
  for (const auto& [name, value] : settings) {
    if (name == keyword) return value;
  }
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

// Returns whether a host is this machine: a socket's folder, or a loopback
// address.
bool IsLocalHost(std::string_view host) {
  return host.empty() || host.front() == '/' || host.front() == '@' ||
         IsLoopbackHost(host);
}

bool IsLocal(const Settings& settings) {
  std::string hosts = ValueOf(settings, "hostaddr", "PGHOSTADDR");
  if (hosts.empty()) hosts = ValueOf(settings, "host", "PGHOST");
  const std::vector<std::string> all = absl::StrSplit(hosts, ',');
  return std::all_of(all.begin(), all.end(), IsLocalHost);
}

void AddDefaults(Settings* settings) {
  const auto add = [settings](const char* keyword, const char* value) {
    if (!Has(*settings, keyword)) settings->emplace_back(keyword, value);
  };
  // A service file may say how to secure the connection, too.
  if (!IsLocal(*settings) && std::getenv("PGSSLMODE") == nullptr &&
      ValueOf(*settings, "service", "PGSERVICE").empty()) {
    add("sslmode", "verify-full");
  }
  if (std::getenv("PGCONNECT_TIMEOUT") == nullptr) add("connect_timeout", "5");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "25000");
  add("fallback_application_name", "tokenusage");
  add("client_encoding", "UTF8");
}

// Removes the URL from libpq's message, which may quote it with its password.
std::string WithoutUrl(std::string message, const std::string& url) {
  const std::string masked = MaskPostgresUrl(url);
  if (masked == url) return message;
  std::string whole = absl::StrReplaceAll(message, {{url, masked}});
  if (whole != message) return whole;
  return "it cannot be read";
}

}  // namespace

bool IsPostgresUrl(std::string_view url) { return SchemeSize(url) != 0; }

std::string MaskPostgresUrl(std::string_view url) {
  const std::size_t scheme = SchemeSize(url);
  if (scheme == 0) return std::string(url);
  std::string masked(url);
  // A password may wrongly contain '@', so the last '@' counts: it is better to
  // mask too much than too little.
  const std::size_t at = masked.rfind('@');
  const std::size_t colon = masked.find(':', scheme);
  if (at != std::string::npos && colon < at) {
    masked.replace(colon + 1, at - colon - 1, kMask);
  }
  const std::string keyword = "password=";  // and sslpassword
  for (std::size_t found = masked.find(keyword, scheme);
       found != std::string::npos; found = masked.find(keyword, found)) {
    found += keyword.size();
    const std::size_t end = std::min(masked.find('&', found), masked.size());
    masked.replace(found, end - found, kMask);
  }
  return masked;
}

absl::StatusOr<PostgresTarget> PostgresTarget::Parse(const std::string& url) {
  PostgresTarget target;
  target.display_ = MaskPostgresUrl(url);
  target.display_.resize(
      std::min(target.display_.find('?'), target.display_.size()));
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> owned(message, &PQfreemem);
  if (!IsPostgresUrl(url) || options == nullptr) {
    const std::string why =
        message == nullptr ? "it is not postgresql://..." : message;
    return absl::InvalidArgumentError(
        absl::StrCat("the store's URL ", target.display_, ": ",
                     WithoutUrl(why.substr(0, why.find('\n')), url)));
  }
  for (const PQconninfoOption* option = options.get();
       option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      target.settings_.emplace_back(option->keyword, option->val);
    }
  }
  AddDefaults(&target.settings_);
  return target;
}

}  // namespace tokenusage
