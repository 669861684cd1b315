// Numbers as JSON spells them: the grammar, exact reading, shortest writing.
// The locale never matters. All functions are thread-safe.

#ifndef TOKENUSAGE_JSON_NUMBER_H_
#define TOKENUSAGE_JSON_NUMBER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokenusage {
namespace json_internal {

struct NumberSpan {
  bool valid = false;
  // The number's length; where it is not valid, how far the grammar held.
  std::size_t length = 0;
};

// The longest prefix of `text` that is a number by RFC 8259.
NumberSpan ScanNumber(std::string_view text);

// Whether all of `text` is one number by RFC 8259.
bool IsNumber(std::string_view text);

// The functions below take a `number` for which IsNumber holds.

// The nearest double or float, ties to even. False where that is an infinity.
bool ParseDouble(std::string_view number, double* value);
bool ParseFloat(std::string_view number, float* value);

// The integer that `number` is exactly, as 100, 1e2 or 100.0. False where it
// has a fraction or does not fit.
bool ParseInt64(std::string_view number, std::int64_t* value);
bool ParseUInt64(std::string_view number, std::uint64_t* value);

// Appends the shortest decimal that reads back to the same finite value, as
// ECMAScript prints it, except that -0 is -0.
void AppendDouble(double value, std::string* out);
void AppendFloat(float value, std::string* out);

// Appends digits, and quotes around them beyond 2^53 in magnitude: a reader
// whose numbers are doubles would not see the same integer.
void AppendInt64(std::int64_t value, std::string* out);
void AppendUInt64(std::uint64_t value, std::string* out);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NUMBER_H_
