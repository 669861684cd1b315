// SPDX-License-Identifier: Apache-2.0

// What systemd is told of a service of Type=notify: sd_notify's protocol, which
// is a datagram to the socket that NOTIFY_SOCKET names.

#ifndef TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_
#define TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_

#include <string>

namespace tokenusage {

// Sends `state`, as "READY=1" or "STOPPING=1"; does nothing where no service
// manager waits for it.
void NotifyServiceManager(const std::string& state);

// The same for a reload that begins, with the time that systemd compares.
void NotifyReloading();

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_
