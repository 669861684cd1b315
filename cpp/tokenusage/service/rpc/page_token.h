// SPDX-License-Identifier: Apache-2.0

// Page tokens: where the next page starts, bound to the request that asked.
//
//   const PageTokens tokens(key);
//   response.set_next_page_token(tokens.Encode({fingerprint, time, last_key}));
//   ...
//   auto position =
//       tokens.Decode(request.page_token(), fingerprint, start, end);
//
// A token grants nothing: it only starts the caller's own page elsewhere. It is
// authenticated so that a damaged or forged one is refused, and does not skip
// rows silently.

#ifndef TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_
#define TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The last item of the previous page, and the request that it answered.
struct PagePosition {
  std::uint64_t request_fingerprint = 0;
  std::int64_t last_time_nanos = 0;
  std::string last_key;
};

// Returns the last_key of a page whose last row has this position.
std::string PageKeyOf(const RowPosition& last);

// Returns the position that PageKeyOf has encoded, after which the next page
// starts.
RowPosition RowPositionOf(const PagePosition& last);

// Returns a stable 64-bit hash (FNV-1a) of `bytes`.
std::uint64_t Fingerprint(std::string_view bytes);

// Immutable, so thread-safe.
class PageTokens {
 public:
  // Servers with the same key accept each other's tokens: see
  // UsageStore::page_token_key.
  explicit PageTokens(std::string key) : key_(std::move(key)) {}

  // Returns the token in base64url; never empty.
  std::string Encode(const PagePosition& position) const;

  // Returns the position in a token. Errors: INVALID_ARGUMENT with
  // PAGE_TOKEN_INVALID if `token` was not made by Encode, with the same key,
  // for a request with this fingerprint, or if its time is not in [start_nanos,
  // end_nanos), the request's window.
  absl::StatusOr<PagePosition> Decode(std::string_view token,
                                      std::uint64_t request_fingerprint,
                                      std::int64_t start_nanos,
                                      std::int64_t end_nanos) const;

 private:
  const std::string key_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_PAGE_TOKEN_H_
