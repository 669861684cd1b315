// SPDX-License-Identifier: Apache-2.0

// What the transport takes from callers.
//
//   grpc::ServerBuilder builder;
//   ApplyServerLimits(ServerLimits(), &builder);

#ifndef TOKENUSAGE_SERVICE_SERVER_SERVER_LIMITS_H_
#define TOKENUSAGE_SERVICE_SERVER_SERVER_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"
#include "grpcpp/server_builder.h"

namespace tokenusage {

struct ServerLimits {
  // One message, in bytes; a longer one is answered RESOURCE_EXHAUSTED without
  // pushback, as usage_reporting_service.proto says.
  int max_message_bytes = 4 << 20;

  // The metadata of one call, in bytes. gRPC closes the connection of a caller
  // who sends more.
  int max_metadata_bytes = 16 << 10;

  // Calls and streams at once on one connection; more wait at the caller.
  int max_concurrent_streams = 256;

  // A connection is asked to end after so long, give or take a tenth, so that
  // callers spread over new servers; what is under way then has the grace to
  // end. Long streams must expect to be cut and go on with a new one.
  absl::Duration max_connection_age = absl::Hours(1);
  absl::Duration max_connection_age_grace = absl::Minutes(5);

  // A connection that has been silent for so long is asked for a sign of life,
  // and closed where none comes.
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);

  // Callers that ask for signs of life more often, more than twice in a row,
  // are cut off.
  absl::Duration min_ping_interval = absl::Seconds(10);

  // gRPC reads at most this many bytes at once from a connection. Between two
  // reads it starts the calls that it has read, so this bounds how many calls a
  // connection can add before anybody counts them.
  int max_read_bytes = 128 << 10;

  // The memory of gRPC's own buffers, in bytes. Beyond it gRPC resets streams
  // at random: a last resort, which ConnectionLimits should leave unused.
  std::size_t max_transport_memory_bytes = 192 << 20;
};

// Sets the limits, and turns compressed requests off: one message of a kilobyte
// may unpack to gigabytes, and gRPC looks at the size afterwards. They are
// answered UNIMPLEMENTED.
void ApplyServerLimits(const ServerLimits& limits,
                       grpc::ServerBuilder* builder);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_SERVER_LIMITS_H_
