// SPDX-License-Identifier: Apache-2.0

// Tells what gRPC counts for channelz: calls and streams from when it reads
// their headers, before interceptors or anything else of a server know of them.
//
//   if (UnfinishedCalls() > limit) {
//     for (const auto& [peer, socket] : ServerSockets()) {
//       Use(peer, StartedStreams(socket));
//     }
//   }
//
// Thread-safe, and does not wait for gRPC's threads.

#ifndef TOKENUSAGE_SERVICE_SERVER_CHANNELZ_H_
#define TOKENUSAGE_SERVICE_SERVER_CHANNELZ_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace tokenusage {

// Returns the number of calls that have started and not finished, of all
// servers of the process.
std::int64_t UnfinishedCalls();

// Returns the connections of all servers of the process: their numbers in
// channelz, by their peers, as grpc::ServerContext::peer() has them.
absl::flat_hash_map<std::string, std::intptr_t> ServerSockets();

// Returns the number of streams that the connection has started since it was
// opened; 0 if there is no such connection.
std::int64_t StartedStreams(std::intptr_t socket);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_CHANNELZ_H_
