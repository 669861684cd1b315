// SPDX-License-Identifier: Apache-2.0

// Limits of the transport, below the service.
//
//   grpc::ServerBuilder builder;
//   ApplyTransportLimits(TransportLimits(), &builder);

#ifndef TOKENUSAGE_SERVICE_SERVER_TRANSPORT_LIMITS_H_
#define TOKENUSAGE_SERVICE_SERVER_TRANSPORT_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"
#include "grpcpp/server_builder.h"

namespace tokenusage {

struct TransportLimits {
  // One message, in bytes; a longer one is answered RESOURCE_EXHAUSTED without
  // pushback, as usage_reporting_service.proto says.
  int max_message_bytes = 4 << 20;

  // The metadata of one call, in bytes. gRPC closes the connection of a caller
  // who sends more.
  int max_metadata_bytes = 16 << 10;

  // Concurrent calls and streams on one connection; more wait at the caller.
  int max_concurrent_streams = 100;

  // The age at which a connection is asked to end, +/- 10 %, so that callers
  // spread over new servers, and the time that its calls then have to finish.
  // Longer streams are cut, and callers continue on new ones.
  absl::Duration max_connection_age = absl::Hours(1);
  absl::Duration max_connection_age_grace = absl::Minutes(5);

  // A connection that was silent for keepalive_time is pinged, and closed if no
  // answer comes within keepalive_timeout.
  absl::Duration keepalive_time = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);

  // A caller that pings more often, more than twice in a row, is disconnected.
  absl::Duration min_ping_interval = absl::Seconds(10);

  // The most bytes that gRPC reads from a connection at once; its calls are
  // counted afterwards. gRPC 1.51 keeps to it after BoundReadsOfProcess.
  int max_read_bytes = 16 << 10;

  // The memory of gRPC's own buffers, in bytes. When it is exceeded, gRPC
  // resets streams at random: a last resort, which ConnectionLimits keep from
  // being needed.
  std::size_t max_transport_memory_bytes = 192 << 20;
};

// Sets the limits. Takes messages that are compressed with gzip, and leaves
// them as they are: a message may unpack to a thousand times its size, and gRPC
// checks the size afterwards. Refuses other compression as UNIMPLEMENTED.
void ApplyTransportLimits(const TransportLimits& limits,
                          grpc::ServerBuilder* builder);

// Makes gRPC 1.51 keep to max_read_bytes; newer versions bound what they read.
// Without it, gRPC reads megabytes at once, tens of thousands of calls, from a
// caller who sends them fast enough. Sets GRPC_EXPERIMENTS, unless it is set.
// Call it before the process uses gRPC or starts threads.
void BoundReadsOfProcess();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_TRANSPORT_LIMITS_H_
