// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/token.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "openssl/crypto.h"
#include "openssl/rand.h"
#include "openssl/sha.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

// Lets people and secret scanners recognise a token.
constexpr std::string_view kPrefix = "tokenusage_";

}  // namespace

std::string NewToken() {
  TokenDigest random;
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) abort();
  return std::string(kPrefix) + HexOf(random);
}

TokenDigest DigestOf(std::string_view token) {
  TokenDigest digest;
  SHA256(reinterpret_cast<const std::uint8_t*>(token.data()), token.size(),
         digest.data());
  return digest;
}

bool SameDigest(const TokenDigest& a, const TokenDigest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string HexOf(const TokenDigest& digest) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<TokenDigest> DigestFromHex(std::string_view hex) {
  TokenDigest digest;
  if (hex.size() != 2 * digest.size() ||
      hex.find_first_not_of("0123456789abcdef") != hex.npos) {
    return std::nullopt;
  }
  const std::string bytes = absl::HexStringToBytes(ToAbsl(hex));
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

}  // namespace tokenusage
