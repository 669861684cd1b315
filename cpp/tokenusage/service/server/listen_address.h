// SPDX-License-Identifier: Apache-2.0

// Checks the addresses that a server listens on.
//
//   TOKENUSAGE_RETURN_IF_ERROR(CheckAddress(address));

#ifndef TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_
#define TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// Returns INVALID_ARGUMENT unless `address` is host:port, the port 0 to 65535.
absl::Status CheckAddress(const std::string& address);

// Returns the reason for an errno of socket, bind or listen.
std::string ListenErrorText(int error);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_LISTEN_ADDRESS_H_
