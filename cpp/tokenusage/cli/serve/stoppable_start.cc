// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/stoppable_start.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/serve/server_log.h"

namespace tokenusage {

StoppableStart::StoppableStart(const sigset_t& signals)
    : signals_(signalfd(-1, &signals, SFD_CLOEXEC)),
      done_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] {
        pollfd events[] = {{signals_, POLLIN, 0}, {done_, POLLIN, 0}};
        while (poll(events, 2, -1) < 0 && errno == EINTR) {
        }
        if (events[0].revents == 0) return;  // the start is over
        Log(LogLevel::info, "stopped before the service was ready", {});
        _exit(
            kExitOk);  // the main thread is starting: nothing may be destroyed
      }) {}

StoppableStart::~StoppableStart() {
  const std::uint64_t one = 1;
  // `!` silences a warning: writing to an eventfd at 0 cannot fail.
  static_cast<void>(!write(done_, &one, sizeof(one)));
  thread_.join();
  close(done_);
  close(signals_);
}

}  // namespace tokenusage
