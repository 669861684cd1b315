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
  // Open connections. Beyond it the oldest one that is not identified is
  // closed; if all are identified, the new one.
  int max_connections = 2048;

  // Open connections that are not identified.
  int max_unidentified = 512;

  // Connections of other listeners of the process, at one descriptor each. See
  // FitToDescriptors.
  int other_connections = 0;

  // Calls of one connection that have started and not ended. Streams that the
  // caller has reset count until the server is done with them, which is what
  // bounds rapid resets (CVE-2023-44487). While more calls than this belong to
  // no open connection, none is accepted.
  int max_live_calls = 512;

  // The calls of all connections together, and of all unidentified ones. Each
  // call takes about 18 KiB, even if it only waits, as a health watch does.
  // Beyond it the connection with the most calls is closed; those of an
  // unidentified one count eightfold.
  int max_total_calls = 6144;
  int max_unidentified_calls = 2048;

  // Received bytes of requests that have not arrived in full, of all
  // connections together. Beyond it the connection that holds most is closed;
  // what an unidentified one holds counts eightfold.
  std::int64_t max_pending_bytes = 80 << 20;

  // Those of all unidentified connections together.
  std::int64_t max_unidentified_pending_bytes = 48 << 20;

  // A connection without calls is closed when it has held more than 64 KiB of
  // such bytes for this long without sending more.
  absl::Duration max_stall = absl::Seconds(30);
};

// The state of a connection.
struct ConnectionState {
  bool is_identified = false;
  int live_calls = 0;  // if known, those that gRPC has only read included
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
// Unidentified connections may only start as many calls as there is room for,
// assuming the shortest calls that HTTP/2 allows; the first in `connections`
// come first. A few that are silent may send at any time; the bytes of others
// wait until they have been seen. Identified ones are throttled only while the
// limit of all calls is exceeded.
//
// `live_calls` are all calls of the server. Calls that no connection in
// `connections` counts are those of closed ones, and those just read.
std::vector<bool> ConnectionsToThrottle(
    const std::vector<ConnectionState>& connections, int live_calls,
    const ConnectionLimits& limits);

// Raises the soft limit of open files as far as `limits` needs and the hard
// limit allows. Returns the limits lowered to the descriptors that there are;
// `other_connections` gets at most a fifth of them.
ConnectionLimits FitToDescriptors(ConnectionLimits limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_CONNECTION_LIMITS_H_
