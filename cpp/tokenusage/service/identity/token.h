// SPDX-License-Identifier: Apache-2.0

// Makes and compares bearer tokens: secrets that callers send. The server knows
// only their SHA-256.
//
//   std::string token = NewToken();               // for the caller
//   TokenDigest digest = DigestOf(token);         // for the server
//   bool same = SameDigest(digest, DigestOf(shown));

#ifndef TOKENUSAGE_SERVICE_IDENTITY_TOKEN_H_
#define TOKENUSAGE_SERVICE_IDENTITY_TOKEN_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tokenusage {

using TokenDigest = std::array<std::uint8_t, 32>;

// Returns a new token: "tokenusage_" and 64 hexadecimal digits. Its 256 random
// bits cannot be guessed from a digest, so it needs no salt and no slow hash.
// Aborts if the system has no randomness.
std::string NewToken();

TokenDigest DigestOf(std::string_view token);

// Compares two digests in constant time.
bool SameDigest(const TokenDigest& a, const TokenDigest& b);

// Returns a digest as 64 lower-case hexadecimal digits.
std::string HexOf(const TokenDigest& digest);

// Returns the digest that HexOf has converted; nullopt for any other text.
std::optional<TokenDigest> DigestFromHex(std::string_view hex);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_TOKEN_H_
