// SPDX-License-Identifier: Apache-2.0

// Bounds the number of a server's connections, and the memory that they hold.
//
//   for (std::size_t i : ConnectionsToClose(states, limits)) Close(i);

#ifndef TOKENUSAGE_SERVICE_SERVER_CONNECTION_LIMITS_H_
#define TOKENUSAGE_SERVICE_SERVER_CONNECTION_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace tokenusage {

// A connection is identified once one of its calls has shown valid credentials,
// or at its first call if the server asks for none.
struct ConnectionLimits {
  // Open connections. Beyond this limit, the oldest one that is not identified
  // is closed; if all are identified, the new one.
  int max_connections = 2048;

  // Open connections that are not identified. Beyond this limit, the oldest of
  // them is closed.
  int max_unidentified = 512;

  // Connections of other listeners of the process, at one descriptor each. See
  // FitToDescriptors.
  int other_connections = 0;

  // Calls of one connection that have started and not ended. A connection with
  // more is closed. Streams that the caller has reset count until the server is
  // done with them, which bounds rapid resets (CVE-2023-44487). While more
  // calls than this belong to no open connection, no connection is accepted.
  int max_live_calls = 512;

  // The calls of all connections together, and of all unidentified ones. Each
  // call takes about 18 KiB, even if it only waits, as a health watch does.
  // Beyond these limits, the connection with the most calls is closed; those of
  // an unidentified one count eightfold.
  int max_total_calls = 6144;
  int max_unidentified_calls = 2048;

  // Received bytes of requests that have not arrived in full, of all
  // connections together. Beyond this limit, the connection that holds most is
  // closed; what an unidentified one holds counts eightfold.
  std::int64_t max_pending_bytes = 80 << 20;

  // The same for all unidentified connections together.
  std::int64_t max_unidentified_pending_bytes = 48 << 20;

  // A connection without calls is closed once it has held more than 64 KiB of
  // pending bytes for this long without sending more.
  absl::Duration max_stall = absl::Seconds(30);
};

// The state of a connection.
struct ConnectionState {
  bool is_identified = false;
  int live_calls = 0;  // with those that no interceptor has seen, if known
  std::int64_t pending_bytes = 0;
  int unread_bytes = 0;    // that gRPC has not read
  absl::Duration silence;  // since it last sent something
};

// Returns the indices of the connections that must be closed to satisfy the
// limits of bytes, calls and stalls.
std::vector<std::size_t> ConnectionsToClose(
    const std::vector<ConnectionState>& connections,
    const ConnectionLimits& limits);

// Returns, for each connection, whether gRPC must not read from it for now, so
// that it does not start more calls than the limits allow before the guard can
// close anything.
//
// Unidentified connections, in the order of `connections`, may only start as
// many calls as there is room for, assuming the shortest calls that HTTP/2
// allows. A few that are silent may send at any time; the bytes of other silent
// ones wait until the guard has looked at them. Identified connections are
// throttled only while the limit of all calls is exceeded.
//
// `live_calls` is the number of all calls of the server. Those that no
// connection in `connections` counts are of closed ones, or were just read.
std::vector<bool> ConnectionsToThrottle(
    const std::vector<ConnectionState>& connections, int live_calls,
    const ConnectionLimits& limits);

// Raises the soft limit of open files as far as `limits` needs and the hard
// limit allows. Returns the limits lowered to the descriptors that there are;
// `other_connections` gets at most a fifth of them, and `max_unidentified` is
// at most half of `max_connections`.
ConnectionLimits FitToDescriptors(ConnectionLimits limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_CONNECTION_LIMITS_H_
