// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/page_token.h"

#include <array>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"
#include "openssl/sha.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/internal/page_token.pb.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {
namespace {

// The first 16 bytes of an HMAC-SHA256.
constexpr std::size_t kMacBytes = 16;

std::string MacOf(const std::string& key, std::string_view bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> mac = {};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
       mac.data(), &size);
  return std::string(reinterpret_cast<const char*>(mac.data()), kMacBytes);
}

// Removes the MAC from the front of `bytes`. Returns whether it was right.
bool RemoveMac(const std::string& key, std::string* bytes) {
  if (bytes->size() < kMacBytes) return false;
  const std::string mac = bytes->substr(0, kMacBytes);
  bytes->erase(0, kMacBytes);
  return CRYPTO_memcmp(mac.data(), MacOf(key, *bytes).data(), kMacBytes) == 0;
}

}  // namespace

// The key is the rank as a decimal, if there is one, then 0x00 and the group
// key.
std::string PageKeyOf(const RowPosition& last) {
  std::string key = last.rank ? last.rank->ToDecimal() : "";
  key.push_back('\0');
  return key + last.encoded_key;
}

RowPosition RowPositionOf(const PagePosition& last) {
  const std::size_t end = last.last_key.find('\0');
  return {last.last_time_nanos, last.last_key.substr(end + 1),
          AmountFromDecimal(last.last_key.substr(0, end))};
}

std::uint64_t Fingerprint(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001B3;
  }
  return hash;
}

std::string PageTokens::Encode(const PagePosition& position) const {
  internal::PageToken token;
  token.set_request_fingerprint(position.request_fingerprint);
  token.set_last_time(position.last_time_nanos);
  token.set_last_key(position.last_key);
  const std::string bytes = token.SerializeAsString();
  return absl::WebSafeBase64Escape(MacOf(key_, bytes) + bytes);
}

absl::StatusOr<PagePosition> PageTokens::Decode(
    std::string_view token, std::uint64_t request_fingerprint,
    std::int64_t start_nanos, std::int64_t end_nanos) const {
  std::string bytes;
  internal::PageToken wire;
  if (!absl::WebSafeBase64Unescape(ToAbsl(token), &bytes) ||
      !RemoveMac(key_, &bytes) || !wire.ParseFromString(bytes) ||
      wire.request_fingerprint() != request_fingerprint ||
      wire.last_time() < start_nanos || wire.last_time() >= end_nanos) {
    return ErrorWithInfo(absl::StatusCode::kInvalidArgument,
                         "PAGE_TOKEN_INVALID",
                         "page_token: expected the next_page_token of the "
                         "previous page, with all other fields except "
                         "page_size unchanged",
                         {{"field", "page_token"}});
  }
  return PagePosition{wire.request_fingerprint(), wire.last_time(),
                      wire.last_key()};
}

}  // namespace tokenusage
