// SPDX-License-Identifier: Apache-2.0

// Checks the addresses that a server listens on.
//
//   TOKENUSAGE_RETURN_IF_ERROR(CheckLoopbackAddress(address));
//   if (!Listen(address)) return ListenError(address);

#ifndef TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_
#define TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// Returns INVALID_ARGUMENT unless `address` is host:port, the port 0 to 65535.
absl::Status CheckAddress(const std::string& address);

// Does the same, and also returns INVALID_ARGUMENT unless the host is in
// 127.0.0.0/8, [::1] or localhost, which only this machine reaches.
absl::Status CheckLoopbackAddress(const std::string& address);

// Returns UNAVAILABLE with the reason why the server cannot listen on
// `address`, which must be valid. Finds it by trying, since gRPC does not tell.
absl::Status ListenError(const std::string& address);

// Returns the reason for an errno of socket, bind or listen.
std::string ListenErrorText(int error);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_
