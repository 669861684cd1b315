// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/page_token.h"

#include "absl/strings/escaping.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/internal/page_token.pb.h"
#include "tokenusage/service/error_info.h"

namespace tokenusage {

std::uint64_t Fingerprint(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001B3;
  }
  return hash;
}

std::string EncodePageToken(const PagePosition& position) {
  internal::PageToken token;
  token.set_request_fingerprint(position.request_fingerprint);
  token.set_last_time(position.last_time_nanos);
  token.set_last_key(position.last_key);
  return absl::WebSafeBase64Escape(token.SerializeAsString());
}

absl::StatusOr<PagePosition> DecodePageToken(std::string_view token,
                                             std::uint64_t request_fingerprint,
                                             std::int64_t start_nanos,
                                             std::int64_t end_nanos) {
  std::string bytes;
  internal::PageToken wire;
  if (!absl::WebSafeBase64Unescape(ToAbsl(token), &bytes) ||
      !wire.ParseFromString(bytes) ||
      wire.request_fingerprint() != request_fingerprint ||
      wire.last_time() < start_nanos || wire.last_time() >= end_nanos) {
    return ErrorWithInfo(
        absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
        "page_token: expected the next_page_token of the page before, with all "
        "other fields but page_size unchanged",
        {{"field", "page_token"}});
  }
  return PagePosition{wire.request_fingerprint(), wire.last_time(),
                      wire.last_key()};
}

}  // namespace tokenusage
