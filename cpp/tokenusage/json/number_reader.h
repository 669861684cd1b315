// Reads doubles out of a document, without a copy and mostly without a loop.

#ifndef TOKENUSAGE_JSON_NUMBER_READER_H_
#define TOKENUSAGE_JSON_NUMBER_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tokenusage/json/decimal.h"
#include "tokenusage/json/digits.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tokenusage {
namespace json_internal {

// Bytes behind the start of a number that the functions below may read.
inline constexpr std::ptrdiff_t kNumberWindow = 32;

// How a reader finds where digits end. NotDigitBits(p) tells which of the 16
// bytes at `p` are not digits: the first one by the lowest bit. The two lowest
// bits set are right, and bit 16 is set as well.
struct PortableScan {
  static std::uint32_t NotDigitBits(const char* p) {
    return ByteBits(LoadWord(p)) | ByteBits(LoadWord(p + 8)) << 8 | 1U << 16;
  }

 private:
  // One bit for each byte that is not a digit.
  static std::uint32_t ByteBits(std::uint64_t word) {
    const std::uint64_t values = word ^ kEightZeros;
    const std::uint64_t above =
        ((values & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676) | values;
    return static_cast<std::uint32_t>(
        (((above & 0x8080808080808080) >> 7) * 0x0102040810204080) >> 56);
  }
};

#if defined(__SSE2__)
struct SseScan {
  static std::uint32_t NotDigitBits(const char* p) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i values = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(
               _mm_max_epu8(values, _mm_set1_epi8(10)), values))) |
           1U << 16;
  }
};
using FastScan = SseScan;
#else
using FastScan = PortableScan;
#endif

// Each reads one JSON number at `p` and returns its end. What follows the
// number is the caller's to check.

// Any number that ends before `end`, or at it. Null where there is none, or
// where it rounds to an infinity.
const char* ReadAnyDouble(const char* p, const char* end, double* value);

// The same for `whole` digits, at most 8, before a point and at most 16 after
// it, 19 in all; null for anything else. Reads kNumberWindow bytes.
const char* ReadLongDouble(const char* p, std::uint32_t whole, double* value);

// At most eight characters, without sign and exponent; null for anything else.
// Reads kNumberWindow bytes; the number may seem to go on behind the document's
// end.
template <typename Scan>
inline const char* ReadShortDouble(const char* p, double* value) {
  const std::uint32_t not_digit = Scan::NotDigitBits(p);
  const auto whole = static_cast<std::uint32_t>(__builtin_ctz(not_digit));
  if (*p == '0' && whole != 1) return nullptr;
  const std::uint64_t word = LoadWord(p) ^ kEightZeros;
  if (p[whole] != '.') {
    if (whole - 1 >= 8 || (p[whole] | 0x20) == 'e') return nullptr;
    *value = static_cast<double>(
        static_cast<std::int64_t>(FromDigits(word << (64 - 8 * whole))));
    return p + whole;
  }
  const auto length = static_cast<std::uint32_t>(
      __builtin_ctz((not_digit & (not_digit - 1)) | 1U << 16));
  if (length > 8) return ReadLongDouble(p, whole, value);
  const std::uint32_t decimals = length - whole - 1;
  if (whole == 0 || decimals == 0 || (p[length] | 0x20) == 'e') return nullptr;
  // Close the gap that the point leaves.
  const std::uint64_t before = (std::uint64_t{1} << (8 * whole)) - 1;
  const std::uint64_t digits = (word & before) | ((word >> 8) & ~before);
  *value = static_cast<double>(static_cast<std::int64_t>(
               FromDigits(digits << (64 - 8 * (length - 1))))) /
           kExactPowers[decimals];
  return p + length;
}

// Any number, fast where it is plain. `padded` says that kNumberWindow bytes
// behind `end` may be read; a number that would end behind `end` is none then
// either.
template <typename Scan, bool kPadded>
inline const char* ReadDouble(const char* p, const char* end, double* value) {
  if (kPadded || end - p >= kNumberWindow) {
    const char* const after = ReadShortDouble<Scan>(p, value);
    if (__builtin_expect(after != nullptr && (!kPadded || after <= end), 1)) {
      return after;
    }
  } else if (p < end) {
    char window[kNumberWindow] = {};
    std::memcpy(window, p, static_cast<std::size_t>(end - p));
    const char* const after = ReadShortDouble<Scan>(window, value);
    if (__builtin_expect(after != nullptr, 1)) return p + (after - window);
  }
  return ReadAnyDouble(p, end, value);
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NUMBER_READER_H_
