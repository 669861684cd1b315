// SPDX-License-Identifier: Apache-2.0

// Addresses that only this machine reaches.

#ifndef TOKENUSAGE_SERVICE_SERVER_LOOPBACK_ADDRESS_H_
#define TOKENUSAGE_SERVICE_SERVER_LOOPBACK_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// INVALID_ARGUMENT unless `address` is host:port, the port 0 to 65535.
absl::Status CheckAddress(const std::string& address);

// INVALID_ARGUMENT unless, besides, the host is in 127.0.0.0/8, [::1] or
// localhost.
absl::Status CheckLoopbackAddress(const std::string& address);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_LOOPBACK_ADDRESS_H_
