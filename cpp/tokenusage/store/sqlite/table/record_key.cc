// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/record_key.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

constexpr std::size_t kUuidChars = 36;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool IsDashPlace(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

// Returns the characters that a UUID may have at this place, in order.
std::string_view AllowedAt(std::size_t place) {
  return IsDashPlace(place) ? std::string_view("-") : kHexDigits;
}

// Returns the value of each character as a digit of a UUID; -1 for others.
constexpr std::array<std::int8_t, 256> MakeDigitValues() {
  std::array<std::int8_t, 256> values{};
  for (std::int8_t& value : values) value = -1;
  for (std::size_t i = 0; i < kHexDigits.size(); ++i) {
    values[static_cast<unsigned char>(kHexDigits[i])] =
        static_cast<std::int8_t>(i);
  }
  return values;
}

int DigitValue(char c) {
  static constexpr auto kValues = MakeDigitValues();
  return kValues[static_cast<unsigned char>(c)];
}

// Returns how many leading characters of `text` a UUID may start with.
std::size_t UuidPrefixLength(std::string_view text) {
  const std::size_t limit = std::min(text.size(), kUuidChars);
  std::size_t length = 0;
  while (length < limit &&
         (IsDashPlace(length) ? text[length] == '-'
                              : DigitValue(text[length]) >= 0)) {
    ++length;
  }
  return length;
}

// Returns the 16 bytes of a UUID.
std::string BlobOf(std::string_view uuid) {
  std::string blob(kUuidChars / 2 - 2, '\0');
  std::size_t place = 0;
  for (char& byte : blob) {
    if (IsDashPlace(place)) ++place;
    byte = static_cast<char>(16 * DigitValue(uuid[place]) +
                             DigitValue(uuid[place + 1]));
    place += 2;
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
  std::string text = absl::BytesToHexString(ToAbsl(key.bytes));
  for (const std::size_t place : {8u, 13u, 18u, 23u}) {
    text.insert(std::min(place, text.size()), 1, '-');
  }
  return text;
}

SqliteValue ValueOf(const RecordKey& key) {
  if (key.is_blob) return SqliteBlob{key.bytes};
  return key.bytes;
}

RecordKey RecordKeyAt(const SqliteRows& row, int column) {
  return {row.IsBlob(column), std::string(row.Blob(column))};
}

std::string RecordIdAt(const SqliteRows& row, int column) {
  return RecordIdOf(RecordKeyAt(row, column));
}

std::optional<std::string> FirstBlobAfter(std::string_view record_id) {
  // Keep as many leading characters as possible, make the next one greater, and
  // fill up with the smallest.
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
