// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/token.h"

#include <cstddef>
#include <cstdlib>

#include "openssl/crypto.h"
#include "openssl/rand.h"
#include "openssl/sha.h"

namespace tokenusage {
namespace {

// Lets people and secret scanners see what it is.
constexpr std::string_view kPrefix = "tokenusage_";
constexpr std::string_view kHexDigits = "0123456789abcdef";

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
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 0xF];
  }
  return hex;
}

std::optional<TokenDigest> DigestFromHex(std::string_view hex) {
  TokenDigest digest;
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const std::size_t high = kHexDigits.find(hex[2 * i]);
    const std::size_t low = kHexDigits.find(hex[2 * i + 1]);
    if (high == kHexDigits.npos || low == kHexDigits.npos) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace tokenusage
