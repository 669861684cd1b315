// SPDX-License-Identifier: Apache-2.0

// Notifies systemd of a Type=notify service's state, by sd_notify's protocol: a
// datagram to the socket that NOTIFY_SOCKET names.

#ifndef TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_
#define TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_

#include <string>

namespace tokenusage {

// Sends `state`, such as "READY=1" or "STOPPING=1"; does nothing if no service
// manager expects it.
void NotifyServiceManager(const std::string& state);

// Notifies it that a reload has begun, and when, as systemd requires.
void NotifyReloading();

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVICE_MANAGER_H_
