#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/version.h"
#include "tokenusage/service/usage_server.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Once it serves, it prints the address as one line on stdout. SIGTERM or SIGINT
ends it: calls under way are finished first, for at most --drain-seconds; a second
signal ends it at once.
Connections are plain text without authentication, so only loopback addresses are
served.

Examples:
  tokenusage serve
  tokenusage serve --store=sqlite:///var/lib/tokenusage/usage.db
  tokenusage serve --store=postgresql://usage@db.example/usage
  tokenusage serve --listen=127.0.0.1:0   # any free port)";

// How long calls that were cancelled at the end of the drain may take to end.
constexpr absl::Duration kCancelTime = absl::Seconds(2);

struct ServeFlags {
  std::string store = "sqlite://tokenusage.db";
  std::string listen = "127.0.0.1:8105";
  int drain_seconds = 10;
};

// The signals that end the service. Blocked in every thread, for sigwait.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Ends the process after `limit`, or at the next signal. That is safe at any
// moment: what was acknowledged is on disk, and what was not is sent again.
void EndAtTheLatest(sigset_t signals, absl::Duration limit) {
  const absl::Time end = absl::Now() + limit;
  int signal;
  do {
    const timespec timeout =
        absl::ToTimespec(std::max(end - absl::Now(), absl::ZeroDuration()));
    signal = sigtimedwait(&signals, nullptr, &timeout);
    // A process that is stopped and continued wakes up without a signal.
  } while (signal < 0 && errno == EINTR);
  PrintError(signal >= 0 ? "received a second signal: ending at once"
                         : "calls did not finish in time: ending now");
  _exit(kExitFailure);
}

absl::Status Serve(const ServeFlags& flags) {
  if (absl::Status status = CheckLoopbackAddress(flags.listen); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("--listen: ", status.message()));
  }
  // Before any thread starts, so that all inherit the mask.
  const sigset_t signals = BlockEndSignals();
  TOKENUSAGE_ASSIGN_OR_RETURN(auto store, OpenStore(flags.store));
  UsageServerOptions options;
  options.address = flags.listen;
  options.service.on_store_failure = [](const absl::Status& status) {
    PrintError(absl::StrCat("the store failed: ", status.ToString()));
  };
  TOKENUSAGE_ASSIGN_OR_RETURN(
      auto server, UsageServer::Start(store.get(), std::move(options)));

  const std::string address = absl::StrCat(
      flags.listen.substr(0, flags.listen.rfind(':')), ":", server->port());
  PrintError(absl::StrCat("version ", kVersion, " serves ",
                          MaskStoreUrl(flags.store), " on ", address,
                          " (plain text, loopback only)"));
  PrintData(address + "\n");
  TOKENUSAGE_RETURN_IF_ERROR(FlushData());

  int signal = 0;
  sigwait(&signals, &signal);
  PrintError(absl::StrCat("received ", signal == SIGINT ? "SIGINT" : "SIGTERM",
                          ": finishing the calls under way"));
  const absl::Duration drain = absl::Seconds(flags.drain_seconds);
  std::thread(EndAtTheLatest, signals, drain + kCancelTime).detach();
  server->Shutdown(drain);
  return absl::OkStatus();
}

}  // namespace

void AddServeCommand(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command =
      app->add_subcommand("serve", "Run the usage-reporting service");
  command->footer(kFooter);
  command
      ->add_option("--store", flags->store,
                   std::string(kStoreUrlHelp) +
                       ". A SQLite file is created where there is none")
      ->type_name("URL")
      ->envname("TOKENUSAGE_STORE")
      ->capture_default_str();
  command
      ->add_option("--listen", flags->listen,
                   "The loopback host:port to serve; port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->envname("TOKENUSAGE_LISTEN")
      ->capture_default_str();
  command
      ->add_option("--drain-seconds", flags->drain_seconds,
                   "How long calls under way may take to finish at the end")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command->callback([flags, exit_code] {
    const absl::Status status = Serve(*flags);
    if (!status.ok()) PrintError(std::string(status.message()));
    *exit_code = status.ok()                       ? kExitOk
                 : absl::IsInvalidArgument(status) ? kExitUsage
                                                   : kExitFailure;
  });
}

}  // namespace tokenusage
