// SPDX-License-Identifier: Apache-2.0

// Tells whether a host can only be this machine.
//
//   if (HasLoopbackHost("[::1]:8105")) credentials = InsecureCredentials();

#ifndef TOKENUSAGE_BASE_LOOPBACK_H_
#define TOKENUSAGE_BASE_LOOPBACK_H_

#include <string_view>

namespace tokenusage {

// Returns whether `host` is "localhost" or a loopback address: 127.0.0.0/8,
// also as ::ffff:127.0.0.0/104, or ::1. Other names are not looked up.
// Thread-safe.
bool IsLoopbackHost(std::string_view host);

// Returns the same for the host of host:port. IPv6 addresses need brackets.
// Thread-safe.
bool HasLoopbackHost(std::string_view address);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_LOOPBACK_H_
