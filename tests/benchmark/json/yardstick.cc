// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/json/yardstick.h"

#include <charconv>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tokenusage {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                   1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16};

// Returns the value of eight ASCII digits, the first in the lowest byte.
inline std::uint64_t EightDigits(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  constexpr std::uint64_t kMask = 0x000000FF000000FF;
  return (((digits & kMask) * 0x000F424000000064) +
          (((digits >> 16) & kMask) * 0x0000271000000001)) >>
         32;
}

// Reads one plain decimal. Returns null if it is not one.
inline const char* ParseNumber(const char* p, const char* end, double* value) {
#if defined(__SSE2__)
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const auto not_digit = static_cast<unsigned>(_mm_movemask_epi8(
      _mm_cmpeq_epi8(_mm_max_epu8(digits, _mm_set1_epi8(10)), digits)));
  const unsigned whole =
      static_cast<unsigned>(__builtin_ctz(not_digit | 1 << 16));
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  const bool no_leading_zero = *p != '0' || whole == 1;
  if (p[whole] != '.') {
    if (whole - 1u < 8u && no_leading_zero && (p[whole] | 0x20) != 'e') {
      word = (word ^ 0x3030303030303030) << (64 - 8 * whole);
      *value = static_cast<double>(EightDigits(word));
      return p + whole;
    }
  } else {
    const unsigned after = not_digit & (not_digit - 1);
    const unsigned length =
        static_cast<unsigned>(__builtin_ctz(after | 1 << 16));
    const unsigned decimals = length - whole - 1;
    if (length <= 8 && whole >= 1 && decimals >= 1 && no_leading_zero &&
        (p[length] | 0x20) != 'e') {
      // Close the gap that the point leaves.
      word ^= 0x3030303030303030;
      const std::uint64_t low = (std::uint64_t{1} << (8 * whole)) - 1;
      word = (word & low) | ((word >> 8) & ~low);
      word <<= 64 - 8 * (length - 1);
      *value = static_cast<double>(EightDigits(word)) / kPowersOfTen[decimals];
      return p + length;
    }
  }
#endif
  const auto result = std::from_chars(p, end, *value);
  return result.ec == std::errc() ? result.ptr : nullptr;
}

template <std::size_t kSize>
inline bool Skip(const char** p, const char (&literal)[kSize]) {
  if (std::memcmp(*p, literal, kSize - 1) != 0) return false;
  *p += kSize - 1;
  return true;
}

// Two digits each, for 0 to 99.
struct DigitPairs {
  char text[200];
  constexpr DigitPairs() : text() {
    for (int i = 0; i < 100; ++i) {
      text[2 * i] = static_cast<char>('0' + i / 10);
      text[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
  }
};
constexpr DigitPairs kDigitPairs;

inline char* WriteWhole(std::uint32_t value, char* out) {
  // Ten digits at most; always ten characters from `begin` on are copied.
  char buffer[20];
  char* begin = buffer + 10;
  while (value >= 100) {
    begin -= 2;
    std::memcpy(begin, kDigitPairs.text + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    begin -= 2;
    std::memcpy(begin, kDigitPairs.text + 2 * value, 2);
  } else {
    *--begin = static_cast<char>('0' + value);
  }
  const auto size = static_cast<std::size_t>(buffer + 10 - begin);
  std::memcpy(out, begin, 10);
  return out + size;
}

// Writes a number. `out` has room for 32 characters.
inline char* WriteNumber(double value, char* out) {
  const double scaled = value * 100;
  if (scaled >= 0 && scaled < 4e9) {
    const auto cents = static_cast<std::uint32_t>(scaled + 0.5);
    // The shortest decimal of a double below 2^53 / 100 that equals cents /
    // 100.
    if (cents / 100.0 == value && (cents != 0 || !__builtin_signbit(value))) {
      const std::uint32_t fraction = cents % 100;
      out = WriteWhole(cents / 100, out);
      *out = '.';
      std::memcpy(out + 1, kDigitPairs.text + 2 * fraction, 2);
      return out + (fraction == 0 ? 0 : fraction % 10 == 0 ? 2 : 3);
    }
  }
  return std::to_chars(out, out + 32, value).ptr;
}

template <std::size_t kSize>
inline char* Put(const char (&literal)[kSize], char* out) {
  std::memcpy(out, literal, kSize - 1);
  return out + kSize - 1;
}

}  // namespace

bool YardstickParse(const char* p, std::size_t size, SeedMessage* message) {
  const char* const end = p + size;
  double total, input, output, text, image;
  if (!Skip(&p, "{\"total_tokens\":") ||
      (p = ParseNumber(p, end, &total)) == nullptr ||
      !Skip(&p, ",\"input_tokens\":") ||
      (p = ParseNumber(p, end, &input)) == nullptr ||
      !Skip(&p, ",\"output_tokens\":") ||
      (p = ParseNumber(p, end, &output)) == nullptr ||
      !Skip(&p, ",\"input_tokens_details\":{\"text_tokens\":") ||
      (p = ParseNumber(p, end, &text)) == nullptr ||
      !Skip(&p, ",\"image_tokens\":") ||
      (p = ParseNumber(p, end, &image)) == nullptr || !Skip(&p, "}}") ||
      p != end) {
    return false;
  }
  message->set_total_tokens(total);
  message->set_input_tokens(input);
  message->set_output_tokens(output);
  auto* details = message->mutable_input_tokens_details();
  details->set_text_tokens(text);
  details->set_image_tokens(image);
  return true;
}

void YardstickAppend(const SeedMessage& message, std::string* out) {
  char buffer[320];
  char* p = buffer;
  p = WriteNumber(message.total_tokens(), Put("{\"total_tokens\":", p));
  p = WriteNumber(message.input_tokens(), Put(",\"input_tokens\":", p));
  p = WriteNumber(message.output_tokens(), Put(",\"output_tokens\":", p));
  const auto& details = message.input_tokens_details();
  p = WriteNumber(details.text_tokens(),
                  Put(",\"input_tokens_details\":{\"text_tokens\":", p));
  p = WriteNumber(details.image_tokens(), Put(",\"image_tokens\":", p));
  p = Put("}}", p);
  out->append(buffer, static_cast<std::size_t>(p - buffer));
}

}  // namespace tokenusage
