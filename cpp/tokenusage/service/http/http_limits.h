// SPDX-License-Identifier: Apache-2.0

// Limits of HTTP connections.

#ifndef TOKENUSAGE_SERVICE_HTTP_HTTP_LIMITS_H_
#define TOKENUSAGE_SERVICE_HTTP_HTTP_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace tokenusage {

struct HttpLimits {
  // Open connections. Beyond this limit, the one that has been idle for longest
  // is closed; if none is idle, the new one.
  int max_connections = 1024;

  // A request's line and headers, in bytes.
  std::uint32_t max_header_bytes = 16 << 10;

  // A request's body as it arrives, in bytes.
  std::size_t max_body_bytes = 2 << 20;

  // The bytes of bodies that have not arrived in full, of all connections
  // together. Beyond this limit, the connection that holds most is closed.
  std::int64_t max_pending_bytes = 48 << 20;

  // The next request of a connection must arrive in full within this time. It
  // covers idle connections, TLS handshakes, slow headers and slow bodies.
  absl::Duration max_request_time = absl::Minutes(1);

  // A response must be read within this time.
  absl::Duration max_answer_time = absl::Minutes(2);

  // The threads that read, parse and write. No handler blocks them.
  int threads = 2;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_HTTP_LIMITS_H_
