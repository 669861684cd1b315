// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/rpc/pushback.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace tokenusage {

std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(kPushbackTrailer);
  if (found == trailers.end()) return std::nullopt;
  const absl::string_view text(found->second.data(), found->second.size());
  std::int64_t millis = 0;
  if (!absl::SimpleAtoi(text, &millis) || millis < 0) return std::nullopt;
  return absl::Milliseconds(millis);
}

}  // namespace tokenusage
