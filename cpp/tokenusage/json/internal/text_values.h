// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes the values that JSON holds as text: bytes and times. All
// functions are thread-safe.
//
//   std::string bytes;
//   if (!ParseBase64("AAEC", &bytes)) ...  // bytes is {0, 1, 2}

#ifndef TOKENUSAGE_JSON_INTERNAL_TEXT_VALUES_H_
#define TOKENUSAGE_JSON_INTERNAL_TEXT_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace tokenusage {
namespace json_internal {

// Reads base64 (RFC 4648) in its standard or its URL-safe alphabet, with or
// without padding. Returns false for anything else: white space, text that is
// cut short, or bits after the last byte that are not zero.
bool ParseBase64(std::string_view text, std::string* bytes);

// Appends base64 in the standard alphabet, padded.
void AppendBase64(std::string_view bytes, std::string* out);

// A time in the units of google.protobuf.Timestamp.
struct UnixTime {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};

// Reads an RFC 3339 time such as 2024-05-01T12:00:00.25Z, or with an offset
// such as +02:00, from year 1 to 9999, with at most nine decimals. Returns
// false for anything else, second 60 included.
bool ParseRfc3339(std::string_view text, UnixTime* time);

// Appends the time in UTC with 0, 3, 6 or 9 decimals, as few as keep it exact.
// Returns false, and appends nothing, if the time is not in years 1 to 9999 or
// `nanos` are not from 0 to 999,999,999.
bool AppendRfc3339(const UnixTime& time, std::string* out);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_TEXT_VALUES_H_
