#include "tokenusage/store/record_key.h"

#include <algorithm>
#include <cstddef>

namespace tokenusage {
namespace {

constexpr std::size_t kUuidChars = 36;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool IsDashPlace(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

// The characters that a UUID may have at this place, in order.
std::string_view AllowedAt(std::size_t place) {
  return IsDashPlace(place) ? std::string_view("-") : kHexDigits;
}

// How many leading characters of `text` a UUID may start with.
std::size_t UuidPrefixLength(std::string_view text) {
  const std::size_t limit = std::min(text.size(), kUuidChars);
  std::size_t length = 0;
  while (length < limit &&
         AllowedAt(length).find(text[length]) != std::string_view::npos) {
    ++length;
  }
  return length;
}

// The 16 bytes of a UUID.
std::string BlobOf(std::string_view uuid) {
  std::string blob;
  int high = -1;
  for (std::size_t place = 0; place < kUuidChars; ++place) {
    if (IsDashPlace(place)) continue;
    const int digit = static_cast<int>(kHexDigits.find(uuid[place]));
    if (high < 0) {
      high = digit;
    } else {
      blob.push_back(static_cast<char>(16 * high + digit));
      high = -1;
    }
  }
  return blob;
}

}  // namespace

RecordKey ToRecordKey(std::string_view record_id) {
  if (record_id.size() == kUuidChars &&
      UuidPrefixLength(record_id) == kUuidChars) {
    return {true, BlobOf(record_id)};
  }
  return {false, std::string(record_id)};
}

std::string RecordIdOf(const RecordKey& key) {
  if (!key.is_blob) return key.bytes;
  std::string text;
  for (const char c : key.bytes) {
    if (IsDashPlace(text.size())) text += '-';
    const auto byte = static_cast<unsigned char>(c);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0xF];
  }
  return text;
}

std::optional<std::string> FirstBlobAfter(std::string_view record_id) {
  // Keep as many leading characters as possible, make the next one greater, and
  // fill up with the least.
  for (std::size_t kept = UuidPrefixLength(record_id) + 1; kept-- > 0;) {
    if (kept == kUuidChars) continue;  // no character left to be greater
    const std::string_view allowed = AllowedAt(kept);
    const auto greater =
        kept < record_id.size()
            ? std::upper_bound(allowed.begin(), allowed.end(), record_id[kept])
            : allowed.begin();
    if (greater == allowed.end()) continue;
    std::string uuid(record_id.substr(0, kept));
    uuid += *greater;
    while (uuid.size() < kUuidChars) uuid += AllowedAt(uuid.size())[0];
    return BlobOf(uuid);
  }
  return std::nullopt;
}

}  // namespace tokenusage
