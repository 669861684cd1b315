// SPDX-License-Identifier: Apache-2.0

// Fuzzes page tokens: encoded ones decode to the same position, for their
// request only, and others are refused or decode to one position.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fuzzing/byte_source.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/page_token.h"

namespace tokenusage {
namespace testing {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kFingerprint = 42;

const PageTokens& Tokens() {
  static const auto* const tokens = new PageTokens("key");
  return *tokens;
}

bool Same(const PagePosition& a, const PagePosition& b) {
  return a.request_fingerprint == b.request_fingerprint &&
         a.last_time_nanos == b.last_time_nanos && a.last_key == b.last_key;
}

void CheckToken(std::string_view token) {
  const auto position = Tokens().Decode(token, kFingerprint, kMin, kMax);
  if (!position.ok()) {
    const auto info = GetErrorInfo(position.status());
    if (!info || info->reason != "PAGE_TOKEN_INVALID") {
      FuzzFail(position.status().ToString());
    }
    return;
  }
  const auto again =
      Tokens().Decode(Tokens().Encode(*position), kFingerprint, kMin, kMax);
  if (!again.ok() || !Same(*position, *again)) FuzzFail("another position");
}

void CheckPosition(ByteSource bytes) {
  PagePosition position;
  position.request_fingerprint = bytes.Integer(8);
  position.last_time_nanos = static_cast<std::int64_t>(bytes.Integer(8));
  position.last_key = bytes.Text(1000);
  const std::uint64_t fingerprint = position.request_fingerprint;
  const std::int64_t time = position.last_time_nanos;
  if (time == kMax) return;  // no window holds it
  const std::string token = Tokens().Encode(position);
  const auto decoded = Tokens().Decode(token, fingerprint, time, time + 1);
  if (!decoded.ok() || !Same(position, *decoded)) FuzzFail("lost: " + token);
  if (Tokens().Decode(token, fingerprint + 1, time, time + 1).ok() ||
      Tokens().Decode(token, fingerprint, time + 1, kMax).ok() ||
      Tokens().Decode(token, fingerprint, kMin, time).ok()) {
    FuzzFail("taken for another request: " + token);
  }
}

}  // namespace

std::vector<std::string> SeedInputs() {
  const std::string token = Tokens().Encode({kFingerprint, 7, "key"});
  return {
      "",
      "!",
      token,
      token.substr(1),
      token + "=",
      token + "AAAA",
      Tokens().Encode({kFingerprint, -1, std::string("\0\x01gpt", 5)}),
      Tokens().Encode({kFingerprint, kMax, std::string(300, 'k')}),
      std::string(16, '\xff') + "key",
  };
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::CheckToken(testing::AsText(data, size));
  testing::CheckPosition(testing::ByteSource(testing::AsText(data, size)));
  return 0;
}
