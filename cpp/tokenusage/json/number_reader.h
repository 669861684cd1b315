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

// Bytes from the start of a number on that the functions below may read.
inline constexpr std::ptrdiff_t kNumberWindow = 32;
inline constexpr std::ptrdiff_t kShortNumberWindow = 17;

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
__attribute__((cold)) const char* ReadAnyDouble(const char* p, const char* end,
                                                double* value);

// The same for `whole` digits, at most 8, before a point and at most 16 after
// it, 19 in all; null for anything else. Reads kNumberWindow bytes.
const char* ReadLongDouble(const char* p, std::uint32_t whole, double* value);

// At most eight characters, without sign and exponent, or what ReadLongDouble
// takes; null for anything else. Reads within `window`, which is at least
// kShortNumberWindow, and too little for ReadLongDouble below kNumberWindow.
// What lies behind the document's end may seem to be part of the number.
template <typename Scan>
__attribute__((always_inline)) inline const char* ReadShortDouble(
    const char* p, std::ptrdiff_t window, double* value) {
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
  if (__builtin_expect(length > 8, 0)) {
    return window < kNumberWindow ? nullptr : ReadLongDouble(p, whole, value);
  }
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

// Copies less than kNumberWindow bytes: by two fixed pieces, as a call would
// cost more.
inline void CopyShort(const char* from, std::size_t size, char* to) {
  if (size >= 16) {
    char first[16], last[16];
    std::memcpy(first, from, 16);
    std::memcpy(last, from + size - 16, 16);
    std::memcpy(to, first, 16);
    std::memcpy(to + size - 16, last, 16);
  } else if (size >= 8) {
    const std::uint64_t last = LoadWord(from + size - 8);
    StoreWord(LoadWord(from), to);
    StoreWord(last, to + size - 8);
  } else if (size >= 4) {
    char first[4], last[4];
    std::memcpy(first, from, 4);
    std::memcpy(last, from + size - 4, 4);
    std::memcpy(to, first, 4);
    std::memcpy(to + size - 4, last, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

// ReadDouble near the end of a document, where a number is copied to be read.
template <typename Scan>
__attribute__((noinline)) const char* ReadLastDouble(const char* p,
                                                     const char* end,
                                                     double* value) {
  const std::ptrdiff_t left = end - p;
  if (left > 0 && left < kNumberWindow) {
    char window[kNumberWindow] = {};
    CopyShort(p, static_cast<std::size_t>(left), window);
    const char* const after =
        ReadShortDouble<Scan>(window, kNumberWindow, value);
    if (after != nullptr) return p + (after - window);
  }
  return ReadAnyDouble(p, end, value);
}

// Any number, fast where it is plain. `padded` says that kNumberWindow bytes
// behind `end` may be read; a number that would end behind `end` is none then
// either.
template <typename Scan, bool kPadded>
__attribute__((always_inline)) inline const char* ReadDouble(const char* p,
                                                             const char* end,
                                                             double* value) {
  const std::ptrdiff_t left = end - p;
  if (kPadded || left >= kShortNumberWindow) {
    const char* const after =
        ReadShortDouble<Scan>(p, kPadded ? kNumberWindow : left, value);
    // One that ends behind `end` may have run into what lies there.
    if (__builtin_expect(after != nullptr && (!kPadded || after <= end), 1)) {
      return after;
    }
  }
  if (!kPadded) return ReadLastDouble<Scan>(p, end, value);
  return ReadAnyDouble(p, end, value);
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NUMBER_READER_H_
