// SPDX-License-Identifier: Apache-2.0

// Reads the pushback of a refused call: the time after which it may be
// repeated, in a trailer.
//
//   std::optional<absl::Duration> pushback = PushbackOf(context);
//   if (!status.ok() && pushback.has_value()) absl::SleepFor(*pushback);
//
// Source: gRFC A6.

#ifndef TOKENUSAGE_RPC_PUSHBACK_H_
#define TOKENUSAGE_RPC_PUSHBACK_H_

#include <optional>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"

namespace tokenusage {

// The trailer, in milliseconds.
inline constexpr char kPushbackTrailer[] = "grpc-retry-pushback-ms";

// Returns the pushback of a call that has ended; nullopt if the server sent
// none, a negative one, or other text.
std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RPC_PUSHBACK_H_
