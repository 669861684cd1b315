// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/token.h"

#include <cstddef>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "openssl/crypto.h"
#include "openssl/rand.h"
#include "openssl/sha.h"

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
  // Not absl::HexStringToBytes, whose signature differs between versions.
  constexpr std::string_view kDigits = "0123456789abcdef";
  TokenDigest digest;
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const std::size_t high = kDigits.find(hex[2 * i]);
    const std::size_t low = kDigits.find(hex[2 * i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

}  // namespace tokenusage
