// SPDX-License-Identifier: Apache-2.0

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/serve/config_file.h"
#include "tokenusage/cli/serve/serve_flags.h"
#include "tokenusage/cli/serve/server_log.h"
#include "tokenusage/cli/serve/stoppable_start.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/version.h"
#include "tokenusage/page/page.h"
#include "tokenusage/service/http/http_server.h"
#include "tokenusage/service/identity/identity_authorizer.h"
#include "tokenusage/service/metrics/server_metrics.h"
#include "tokenusage/service/retention.h"
#include "tokenusage/service/server/transport_limits.h"
#include "tokenusage/service/usage_server.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
When it is ready, it prints its address as one line to stdout; with --http-listen, the
address of HTTP is a second line. SIGTERM or SIGINT stops it: active calls
may finish, for at most --drain-seconds; a second signal stops it at once. SIGHUP
reloads the identities and the TLS files; if they are invalid, it keeps the current ones.

With --check it only says what is wrong with its flags, identities and TLS files.

A flag can also be set in the environment, such as TOKENUSAGE_LISTEN, or in the file of
--config, such as listen = "127.0.0.1:8105". The command line wins over the environment,
and that over the file.

Exit codes: 0 stopped by a signal; 1 failure; 2 the database is damaged; 64 wrong usage.

Examples:
  tokenusage serve
  tokenusage serve --store=sqlite:///var/lib/tokenusage/usage.db
  tokenusage serve --store=postgresql://usage@db.example/usage
  tokenusage serve --listen=127.0.0.1:0   # any free port
  tokenusage serve --http-listen=127.0.0.1:8106
  tokenusage serve --listen=[::]:8105 --identities=identities \
    --tls-certificate=server.crt --tls-key=server.key)";

// The time that calls have to end once the drain is over and they are
// cancelled.
constexpr absl::Duration kCancelTime = absl::Seconds(2);

sigset_t SignalSet(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

// Blocks the signals that the service acts on in every thread, for sigwait.
// Returns those that stop it.
sigset_t BlockSignals() {
  const sigset_t all = SignalSet({SIGINT, SIGTERM, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  return SignalSet({SIGINT, SIGTERM});
}

// Ends the process at the next of the signals, or after `limit` unless
// `is_closed` then says that the calls and the store have ended. That is safe
// at any moment: acknowledged records are on disk, and others are sent again.
void EndAtTheLatest(sigset_t signals, absl::Duration limit,
                    const std::shared_ptr<std::atomic<bool>>& is_closed) {
  const absl::Time end = absl::Now() + limit;
  int signal;
  do {
    const timespec timeout =
        absl::ToTimespec(std::max(end - absl::Now(), absl::ZeroDuration()));
    signal = sigtimedwait(&signals, nullptr, &timeout);
    // A process that is stopped and continued wakes up without a signal.
  } while (signal < 0 && errno == EINTR);
  if (signal < 0 && *is_closed) return;
  Log(LogLevel::warn,
      signal >= 0 ? "received a second signal: stopping at once"
                  : "calls did not finish in time: stopping now",
      {});
  _exit(kExitFailure);
}

// Sends `state`, such as "READY=1" or "STOPPING=1", to the socket that systemd
// names for a Type=notify service (see sd_notify); does nothing if no service
// manager expects it.
void NotifyServiceManager(const std::string& state) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path == nullptr || (path[0] != '/' && path[0] != '@') ||
      std::strlen(path) >= sizeof(address.sun_path)) {
    return;
  }
  const std::size_t length = std::strlen(path);
  std::memcpy(address.sun_path, path, length);
  // An abstract socket's name starts with a zero.
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  close(descriptor);
}

// Notifies the service manager that a reload has begun, and when, as systemd
// requires.
void NotifyReloading() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  NotifyServiceManager(
      absl::StrCat("RELOADING=1\nMONOTONIC_USEC=",
                   absl::ToInt64Microseconds(absl::DurationFromTimespec(now))));
}

// The contents of files that may change while the service runs.
class LiveFiles {
 public:
  // Reads the files that the flags name.
  //
  // Errors: those of IdentityAuthorizer::FromFile and LoadCertificateSet.
  absl::Status Load(const ServeFlags& flags,
                    std::shared_ptr<ServerMetrics> metrics) {
    paths_ = flags.tls;
    metrics_ = std::move(metrics);
    if (!flags.identities.empty()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          identities_, IdentityAuthorizer::FromFile(flags.identities));
      LogIdentities();
    }
    if (flags.has_tls()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(CertificateSet set,
                                  LoadCertificateSet(paths_, absl::Now()));
      metrics_->OnCertificate(set.expires);
      tls_ = std::make_shared<ReloadingCredentials>(std::move(set),
                                                    flags.client_certificate());
    }
    return absl::OkStatus();
  }

  // Reads the files again. Logs those that are invalid, and keeps what is in
  // use.
  void Reload() {
    if (is_ending_) return;
    NotifyReloading();
    if (identities_ != nullptr &&
        LogReload("identities", identities_->Reload())) {
      LogIdentities();
    }
    if (tls_ != nullptr) LogReload("certificates", ReloadCertificates());
    NotifyServiceManager("READY=1");
  }

  // Makes further calls of Reload do nothing.
  void EndReloads() { is_ending_ = true; }

  const std::shared_ptr<IdentityAuthorizer>& identities() const {
    return identities_;
  }
  const std::shared_ptr<ReloadingCredentials>& tls() const { return tls_; }

 private:
  // Logs the number of identities: fewer than expected if the file was cut
  // short.
  void LogIdentities() const {
    Log(LogLevel::info, "identities in use",
        {{"credentials", absl::StrCat(identities_->size())}});
  }

  absl::Status ReloadCertificates() {
    TOKENUSAGE_ASSIGN_OR_RETURN(CertificateSet set,
                                LoadCertificateSet(paths_, absl::Now()));
    metrics_->OnCertificate(set.expires);
    tls_->Use(std::move(set));
    return absl::OkStatus();
  }

  // Logs and counts the outcome of a reload. Returns whether the status is OK.
  bool LogReload(const std::string& what, const absl::Status& status) {
    metrics_->OnReload(what, status.ok());
    if (status.ok()) {
      Log(LogLevel::info, "reloaded", {{"what", what}});
    } else {
      Log(LogLevel::err, "reload failed; keeping the current configuration",
          {{"what", what}, {"error", status.ToString()}});
    }
    return status.ok();
  }

  std::atomic<bool> is_ending_{false};
  CertificatePaths paths_;
  std::shared_ptr<ServerMetrics> metrics_;
  std::shared_ptr<IdentityAuthorizer> identities_;
  std::shared_ptr<ReloadingCredentials> tls_;
};

void LogUnusedConnection(const std::string& peer) {
  LogRefusal(
      "unused connection",
      "connection ended without a call; its TLS handshake may have failed",
      {{"peer", peer}});
}

UsageServerOptions ServerOptions(const ServeFlags& flags,
                                 const LiveFiles& files,
                                 std::shared_ptr<ServerMetrics> metrics) {
  UsageServerOptions options;
  options.address = flags.listen;
  options.tls = files.tls();
  options.insecure_plaintext_on_any_address =
      flags.insecure_plaintext_on_any_address;
  options.reflection = flags.reflection;
  // Calls are counted only if /metrics shows the counts.
  if (!flags.http_listen.empty()) {
    options.metrics = std::move(metrics);
    options.connections.other_connections = HttpLimits().max_connections;
  }
  if (files.identities() != nullptr) {
    options.service.authorizer = files.identities();
  } else {  // nobody is more trusted than others
    options.connections.max_unidentified_pending_bytes =
        options.connections.max_pending_bytes;
  }
  options.on_accepting = [](bool is_accepting) {
    if (is_accepting) {
      Log(LogLevel::info, "accepting connections again", {});
    } else {
      Log(LogLevel::err, "cannot accept connections; retrying",
          {{"error", "out of file descriptors or memory"}});
    }
  };
  options.service.observer.on_refused = [](const RefusedCall& call) {
    LogRefusal(call.reason, "call refused",
               {{"peer", call.peer},
                {"caller", call.caller.empty() ? "unknown" : call.caller},
                {"reason", call.reason}});
  };
  options.on_unused_connection = LogUnusedConnection;
  options.on_health_change = [](const HealthChange& change) {
    if (change.healthy) {
      Log(LogLevel::info, "the store has recovered",
          {{"failures", absl::StrCat(change.failures)}});
    } else {
      Log(LogLevel::err, "the store failed",
          {{"error", change.cause.ToString()}});
    }
  };
  return options;
}

// Returns the options of the HTTP server. `store` and `server` must outlive it.
HttpServerOptions HttpOptions(const ServeFlags& flags, const LiveFiles& files,
                              const std::shared_ptr<ServerMetrics>& metrics,
                              const UsageStore* store, UsageServer* server) {
  HttpServerOptions options;
  options.address = flags.http_listen;
  options.tls = files.tls();
  options.check_host = files.identities() == nullptr;
  options.is_serving = [server] { return server->is_serving(); };
  options.on_accepting = [server](bool is_accepting) {
    server->OnAccepting(is_accepting);
  };
  options.metrics = [metrics, store] { return metrics->Text(*store); };
  options.page = PageHtml();
  options.page_policy = std::string(PageContentSecurityPolicy());
  options.on_response = [metrics](std::string_view route, int status,
                                  absl::Duration time) {
    metrics->OnHttpResponse(route, status, time);
  };
  options.on_failed_handshake = LogUnusedConnection;
  return options;
}

void LogServing(const ServeFlags& flags, const std::string& address) {
  Log(LogLevel::info, "serving",
      {{"version", kVersion},
       {"store", MaskStoreUrl(flags.store)},
       {"address", address},
       {"transport", flags.has_tls() ? "tls" : "plain text"},
       {"callers", flags.identities.empty() ? "everybody" : "identities"}});
  if (flags.insecure_plaintext_on_any_address) {
    Log(LogLevel::warn,
        "plain text on any address: anyone on the network path can read and "
        "alter traffic",
        {});
  }
}

// Reloads the files at each SIGHUP, on a separate thread, because reading may
// block, for example on a pipe or a network file system.
void ReloadAtHangup(std::shared_ptr<LiveFiles> files) {
  std::thread([files = std::move(files)] {
    const sigset_t hangup = SignalSet({SIGHUP});
    for (int signal = 0; sigwait(&hangup, &signal) == 0;) files->Reload();
  }).detach();
}

std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

// Removes old records in the background, as the flags and the projects' own
// retention say.
absl::StatusOr<std::unique_ptr<RetentionThread>> StartRetention(
    const ServeFlags& flags, StoreMaintenance* store) {
  std::optional<absl::Duration> retain;
  if (!flags.retain.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(retain, ParseRetention(flags.retain));
  }
  RetentionThread::Events events;
  events.on_removal = [](const Retention::Outcome& outcome) {
    Log(LogLevel::info, "removed old records",
        {{"records", absl::StrCat(outcome.record_count)},
         {"projects", absl::StrCat(outcome.project_count)}});
  };
  events.on_error = [](const absl::Status& status) {
    Log(LogLevel::err, "removing old records failed",
        {{"error", status.ToString()}});
  };
  return std::make_unique<RetentionThread>(store, retain, std::move(events));
}

absl::Status Serve(const ServeFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckServeFlags(flags));
  StartLog(flags.parsed_log_format(), spdlog::level::from_str(flags.log_level));
  // Before any thread starts, so that all inherit the mask.
  const sigset_t signals = BlockSignals();
  BoundReadsOfProcess();
  std::optional<StoppableStart> stoppable_start(signals);
  const auto metrics = std::make_shared<ServerMetrics>(kVersion);
  const auto files = std::make_shared<LiveFiles>();
  TOKENUSAGE_RETURN_IF_ERROR(files->Load(flags, metrics));
  UsageServerOptions options = ServerOptions(flags, *files, metrics);
  TOKENUSAGE_RETURN_IF_ERROR(CheckServedAddress(options));
  OpenStoreOptions store_options;
  store_options.rollups = flags.rollups();
  store_options.on_commit = [metrics](absl::Duration time) {
    metrics->OnCommit(time);
  };
  TOKENUSAGE_ASSIGN_OR_RETURN(auto store,
                              OpenStore(flags.store, store_options));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      auto server, UsageServer::Start(store.get(), std::move(options)));
  std::unique_ptr<HttpServer> http;
  if (!flags.http_listen.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        http, HttpServer::Start(server->service(),
                                HttpOptions(flags, *files, metrics, store.get(),
                                            server.get())));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(auto retention,
                              StartRetention(flags, store->maintenance()));
  stoppable_start.reset();  // from now on calls are finished first

  const std::string address = WithPort(flags.listen, server->port());
  LogServing(flags, address);
  PrintData(address + "\n");
  if (http != nullptr) {
    PrintData(WithPort(flags.http_listen, http->port()) + "\n");
  }
  FlushData();
  // Nobody would learn the address; main prints the error.
  if (!DataError().ok()) return absl::OkStatus();
  NotifyServiceManager("READY=1");

  ReloadAtHangup(files);
  int signal = 0;
  sigwait(&signals, &signal);
  files->EndReloads();
  NotifyServiceManager("STOPPING=1");
  Log(LogLevel::info, "finishing active calls",
      {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  const absl::Duration drain = absl::Seconds(flags.drain_seconds);
  const auto is_closed = std::make_shared<std::atomic<bool>>(false);
  std::thread(EndAtTheLatest, signals, drain + kCancelTime, is_closed).detach();
  retention.reset();
  const absl::Time drain_end = absl::Now() + drain;
  if (http != nullptr) http->BeginDrain();
  server->Shutdown(drain);
  if (http != nullptr) http->Shutdown(drain_end);
  http.reset();
  server.reset();
  store.reset();
  *is_closed = true;
  Log(LogLevel::info, "stopped", {});
  return absl::OkStatus();
}

// Checks what can be checked while the service runs.
absl::Status CheckConfiguration(const ServeFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckServeFlags(flags));
  TOKENUSAGE_RETURN_IF_ERROR(CheckStoreUrl(flags.store));
  StartLog(flags.parsed_log_format(), LogLevel::err);
  const auto metrics = std::make_shared<ServerMetrics>(kVersion);
  LiveFiles files;
  TOKENUSAGE_RETURN_IF_ERROR(files.Load(flags, metrics));
  return CheckServedAddress(ServerOptions(flags, files, metrics));
}

absl::Status RunServe(CLI::App* command, const ServeFlags& flags) {
  if (!flags.config.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(ApplyConfigFile(command, flags.config));
  }
  for (const std::string& name : UnknownVariables(*command->get_parent())) {
    PrintError("no flag has the environment variable " + name);
  }
  if (flags.check) return CheckConfiguration(flags);
  if (!flags.print_config) return Serve(flags);
  PrintData(EffectiveConfig(*command));
  return absl::OkStatus();
}

}  // namespace

Command AddServeCommand(CLI::App* app) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command =
      AddSubcommand(app, "serve", "Run the usage-reporting service", kFooter);
  AddServeFlags(command, flags.get());
  return {command,
          [command, flags] { return FinishLocal(RunServe(command, *flags)); }};
}

}  // namespace tokenusage
