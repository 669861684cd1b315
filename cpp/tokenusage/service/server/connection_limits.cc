// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace tokenusage {
namespace {

constexpr std::int64_t kStallBytes = 64 << 10;

// The weight of the calls and bytes of an unidentified connection. New
// connections hold next to nothing, and so stay open.
constexpr std::int64_t kUnidentifiedWeight = 8;

// The bytes of the shortest call: a frame header and the indices of compressed
// headers.
constexpr int kMinBytesPerCall = 16;

// Of the store, the log, the metrics and gRPC itself.
constexpr rlim_t kOtherDescriptors = 128;
// gRPC's and the guard's.
constexpr rlim_t kDescriptorsPerConnection = 2;
// Other listeners get at most one descriptor in this many.
constexpr rlim_t kOthersShare = 5;

bool IsOut(const ConnectionState& connection, const ConnectionLimits& limits) {
  return connection.live_calls > limits.max_live_calls ||
         (connection.live_calls == 0 &&
          connection.pending_bytes > kStallBytes &&
          connection.silence > limits.max_stall);
}

// Moves connections from `kept` to `out`, those that hold most first, until at
// most `max` is held in all, and at most `max_unidentified` by unidentified
// connections.
void Bound(const std::vector<ConnectionState>& connections,
           const std::function<std::int64_t(const ConnectionState&)>& held,
           std::int64_t max, std::int64_t max_unidentified,
           std::vector<std::size_t>* kept, std::vector<std::size_t>* out) {
  std::int64_t total = 0;
  std::int64_t unidentified = 0;
  for (const std::size_t i : *kept) {
    total += held(connections[i]);
    if (!connections[i].is_identified) unidentified += held(connections[i]);
  }
  if (total <= max && unidentified <= max_unidentified) return;
  const auto weight = [&](const ConnectionState& connection) {
    return held(connection) *
           (connection.is_identified ? 1 : kUnidentifiedWeight);
  };
  std::sort(kept->begin(), kept->end(), [&](std::size_t a, std::size_t b) {
    return weight(connections[a]) > weight(connections[b]);
  });
  std::vector<std::size_t> stay;
  for (const std::size_t i : *kept) {
    const ConnectionState& connection = connections[i];
    const bool is_over = total > max || (!connection.is_identified &&
                                         unidentified > max_unidentified);
    (is_over ? *out : stay).push_back(i);
    if (!is_over) continue;
    total -= held(connection);
    if (!connection.is_identified) unidentified -= held(connection);
  }
  *kept = std::move(stay);
}

// Returns the most calls that the connection can start with what it has sent.
int UnreadCalls(const ConnectionState& connection,
                const ConnectionLimits& limits) {
  if (connection.unread_bytes == 0) return 0;
  return std::min(1 + connection.unread_bytes / kMinBytesPerCall,
                  limits.max_live_calls);
}

}  // namespace

std::vector<std::size_t> ConnectionsToClose(
    const std::vector<ConnectionState>& connections,
    const ConnectionLimits& limits) {
  std::vector<std::size_t> out;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    (IsOut(connections[i], limits) ? out : kept).push_back(i);
  }
  Bound(
      connections, [](const ConnectionState& c) { return c.pending_bytes; },
      limits.max_pending_bytes, limits.max_unidentified_pending_bytes, &kept,
      &out);
  Bound(
      connections,
      [](const ConnectionState& c) { return std::int64_t{c.live_calls}; },
      limits.max_total_calls, limits.max_unidentified_calls, &kept, &out);
  return out;
}

std::vector<bool> ConnectionsToThrottle(
    const std::vector<ConnectionState>& connections, int live_calls,
    const ConnectionLimits& limits) {
  int unattributed = live_calls;
  int unidentified = live_calls;
  for (const ConnectionState& connection : connections) {
    unattributed -= connection.live_calls;
    if (connection.is_identified) unidentified -= connection.live_calls;
  }
  int room = std::min(limits.max_unidentified_calls - unidentified,
                      limits.max_total_calls - live_calls);
  int silent = limits.max_unidentified_calls / limits.max_live_calls;
  bool is_one_read = false;
  std::vector<bool> throttled(connections.size(), false);
  std::optional<std::size_t> first_that_waits;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    const int calls = UnreadCalls(connections[i], limits);
    if (connections[i].is_identified) {
      throttled[i] = live_calls > limits.max_total_calls;
    } else if (calls == 0) {
      throttled[i] = --silent < 0;
    } else if (calls <= room) {
      room -= calls;
      is_one_read = true;
    } else {
      throttled[i] = true;
      if (!first_that_waits) first_that_waits = i;
    }
  }
  // If open connections leave no room, one that waits is read all the same: the
  // guard then closes the connection with the most calls.
  if (first_that_waits && !is_one_read &&
      unattributed <= limits.max_live_calls) {
    throttled[*first_that_waits] = false;
  }
  return throttled;
}

ConnectionLimits FitToDescriptors(ConnectionLimits limits) {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return limits;
  const auto others = static_cast<rlim_t>(limits.other_connections);
  const rlim_t wanted =
      kOtherDescriptors + others +
      kDescriptorsPerConnection * static_cast<rlim_t>(limits.max_connections);
  if (files.rlim_cur < wanted) {
    const rlimit raised = {std::min(wanted, files.rlim_max), files.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  const rlim_t other_fit = std::min(others, files.rlim_cur / kOthersShare);
  const rlim_t taken = kOtherDescriptors + other_fit;
  const rlim_t fit = files.rlim_cur > taken
                         ? (files.rlim_cur - taken) / kDescriptorsPerConnection
                         : 1;
  limits.other_connections = static_cast<int>(other_fit);
  limits.max_connections = static_cast<int>(
      std::min(fit, static_cast<rlim_t>(limits.max_connections)));
  limits.max_unidentified =
      std::min(limits.max_unidentified, (limits.max_connections + 1) / 2);
  return limits;
}

}  // namespace tokenusage
