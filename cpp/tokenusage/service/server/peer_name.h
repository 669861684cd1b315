// SPDX-License-Identifier: Apache-2.0

// Formats the names of peers, such as "ipv4:127.0.0.1:49152".
//
//   const std::string peer = PeerName(*endpoint.data());

#ifndef TOKENUSAGE_SERVICE_SERVER_PEER_NAME_H_
#define TOKENUSAGE_SERVICE_SERVER_PEER_NAME_H_

#include <sys/socket.h>

#include <string>

namespace tokenusage {

// Returns the address as grpc::ServerContext::peer() spells it. `address` is
// the start of a sockaddr_in or sockaddr_in6. Thread-safe.
std::string PeerName(const sockaddr& address);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_PEER_NAME_H_
