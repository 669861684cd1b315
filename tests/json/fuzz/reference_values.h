// SPDX-License-Identifier: Apache-2.0
//
// What the text of a JSON number or string means for a field: plain functions
// for tests, written from docs/json.md.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_VALUES_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>

namespace tokenusage {
namespace testing {

// Returns the nearest double or float, or nullopt if that is an infinity.
// `number` must be of JSON's grammar.
std::optional<double> ToDouble(const std::string& number);
std::optional<float> ToFloat(const std::string& number);

// A whole number of any spelling, as a sign and a magnitude.
struct WholeNumber {
  bool negative = false;  // never for zero
  std::uint64_t magnitude = 0;
};

// Returns the number, or nullopt if it has a fraction or its magnitude needs
// more than 64 bits. `number` must be of JSON's grammar.
std::optional<WholeNumber> ToWholeNumber(const std::string& number);

// Returns the bytes, or nullopt if `text` is not base64.
std::optional<std::string> FromBase64(const std::string& text);

// A time as a Timestamp has it: since 1970-01-01T00:00:00Z.
struct UnixTime {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
};

// Returns the time, or nullopt if `text` is not RFC 3339 or the time in UTC is
// not in years 1 to 9999.
std::optional<UnixTime> FromRfc3339(const std::string& text);

// Returns the number of days from 1970-01-01 to the first day of a year of the
// Gregorian calendar.
std::int64_t DaysToYear(int year);

int DaysInYear(int year);

// Returns the number of days of a month, which is 1 to 12.
int DaysInMonth(int year, int month);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_VALUES_H_
