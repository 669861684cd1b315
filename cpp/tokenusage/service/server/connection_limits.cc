// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace tokenusage {
namespace {

constexpr std::int64_t kStallBytes = 64 << 10;

// Of the store, the log, the metrics and gRPC itself.
constexpr rlim_t kOtherDescriptors = 128;
// gRPC's and the guard's.
constexpr rlim_t kDescriptorsPerConnection = 2;
// Other listeners get at most one in so many.
constexpr rlim_t kOthersShare = 5;

bool IsOut(const ConnectionState& connection, const ConnectionLimits& limits) {
  return connection.live_calls > limits.max_live_calls ||
         (connection.live_calls == 0 &&
          connection.pending_bytes > kStallBytes &&
          connection.silence > limits.max_stall);
}

}  // namespace

std::vector<std::size_t> ConnectionsToClose(
    const std::vector<ConnectionState>& connections,
    const ConnectionLimits& limits) {
  std::vector<std::size_t> out;
  std::vector<std::size_t> rest;
  std::int64_t pending = 0;
  std::int64_t unidentified = 0;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    const ConnectionState& connection = connections[i];
    if (IsOut(connection, limits)) {
      out.push_back(i);
      continue;
    }
    pending += connection.pending_bytes;
    if (!connection.is_identified) unidentified += connection.pending_bytes;
    rest.push_back(i);
  }
  if (pending <= limits.max_pending_bytes &&
      unidentified <= limits.max_unidentified_pending_bytes) {
    return out;
  }
  std::sort(rest.begin(), rest.end(), [&](std::size_t a, std::size_t b) {
    const ConnectionState& x = connections[a];
    const ConnectionState& y = connections[b];
    if (x.is_identified != y.is_identified) return !x.is_identified;
    return x.pending_bytes > y.pending_bytes;
  });
  for (const std::size_t i : rest) {
    const ConnectionState& connection = connections[i];
    if (pending <= limits.max_pending_bytes &&
        (connection.is_identified ||
         unidentified <= limits.max_unidentified_pending_bytes)) {
      break;
    }
    out.push_back(i);
    pending -= connection.pending_bytes;
    if (!connection.is_identified) unidentified -= connection.pending_bytes;
  }
  return out;
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
