// SPDX-License-Identifier: Apache-2.0

// Page tokens: where the next page starts, bound to the request that asked.
//
//   response.set_next_page_token(EncodePageToken({fingerprint, time, key}));
//   ...
//   auto position =
//       DecodePageToken(request.page_token(), fingerprint, start, end);
//
// A token is not a secret and grants nothing: a forged one only starts the
// caller's own page elsewhere.

#ifndef TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_
#define TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tokenusage {

// The last item of the page before, and the request it answered.
struct PagePosition {
  std::uint64_t request_fingerprint = 0;
  std::int64_t last_time_nanos = 0;
  std::string last_key;
};

// Returns a stable 64-bit hash (FNV-1a) of `bytes`.
std::uint64_t Fingerprint(std::string_view bytes);

// Returns the token in base64url; never empty.
std::string EncodePageToken(const PagePosition& position);

// Returns INVALID_ARGUMENT with PAGE_TOKEN_INVALID if `token` was not made by
// EncodePageToken for a request with this fingerprint, or its time is not in
// the request's window, [start_nanos, end_nanos).
absl::StatusOr<PagePosition> DecodePageToken(std::string_view token,
                                             std::uint64_t request_fingerprint,
                                             std::int64_t start_nanos,
                                             std::int64_t end_nanos);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_
