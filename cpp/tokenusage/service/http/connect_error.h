// SPDX-License-Identifier: Apache-2.0

// Errors in the Connect protocol.
//
// Source: https://connectrpc.com/docs/protocol, of unary RPCs.

#ifndef TOKENUSAGE_SERVICE_HTTP_CONNECT_ERROR_H_
#define TOKENUSAGE_SERVICE_HTTP_CONNECT_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/service/http/http_exchange.h"

namespace tokenusage {

// Returns the error's JSON: code, message, and the ErrorInfo as its detail.
std::string ConnectErrorJson(const absl::Status& status);

// Returns the response to a call that failed. With a `pushback` above zero, it
// says when to try again: as gRPC's trailer, and in seconds as Retry-After.
HttpResponse ErrorResponse(const absl::Status& status,
                           absl::Duration pushback = absl::ZeroDuration());

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_CONNECT_ERROR_H_
