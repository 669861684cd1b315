// SPDX-License-Identifier: Apache-2.0
//
// Checks the text of strings in blocks of 64 bytes. A property of the bytes is
// a word with a bit for each of them, the first byte's the lowest.

#include "tokenusage/json/internal/text.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

namespace tokenusage {
namespace json_internal {
namespace {

#define TOKENUSAGE_AVX2 __attribute__((target("avx2"), always_inline)) inline

TOKENUSAGE_AVX2 __m256i Or(__m256i a, __m256i b) {
  return _mm256_or_si256(a, b);
}
TOKENUSAGE_AVX2 __m256i And(__m256i a, __m256i b) {
  return _mm256_and_si256(a, b);
}
TOKENUSAGE_AVX2 __m256i Equal(__m256i bytes, char c) {
  return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
}
// Returns the upper four bits of each byte.
TOKENUSAGE_AVX2 __m256i High(__m256i bytes) {
  return And(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
}
// Looks each byte up by its lower four bits; 0 for bytes of 0x80 and above.
template <typename... Chars>
TOKENUSAGE_AVX2 __m256i LookUp(__m256i bytes, Chars... entries) {
  return _mm256_shuffle_epi8(_mm256_setr_epi8(static_cast<char>(entries)...,
                                              static_cast<char>(entries)...),
                             bytes);
}

// Returns zero for the bytes that, with those before them, may be UTF-8.
//
// This is the method of Keiser and Lemire, "Validating UTF-8 In Less Than One
// Instruction Per Byte": a bit of a table's entry is a way in which two bytes
// can be wrong, as far as four of their bits tell; if three tables agree, they
// are.
TOKENUSAGE_AVX2 __m256i NotUtf8(__m256i before, __m256i bytes) {
  constexpr char kTooShort = 1 << 0, kTooLong = 1 << 1, kOverlong3 = 1 << 2,
                 kTooLarge = 1 << 3, kSurrogate = 1 << 4, kOverlong2 = 1 << 5,
                 kTooLarge1000 = 1 << 6, kOverlong4 = 1 << 6,
                 kTwoContinue = -128;
  constexpr char kAny = kTooShort | kTooLong | kTwoContinue;
  constexpr char kLarge = kAny | kTooLarge | kTooLarge1000;
  constexpr char kContinues = kTooLong | kOverlong2 | kTwoContinue;

  const __m256i seam = _mm256_permute2x128_si256(before, bytes, 0x21);
  const __m256i first = _mm256_alignr_epi8(bytes, seam, 15);
  const __m256i by_first_high =
      LookUp(High(first), kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
             kTooLong, kTooLong, kTooLong, kTwoContinue, kTwoContinue,
             kTwoContinue, kTwoContinue, kTooShort | kOverlong2, kTooShort,
             kTooShort | kOverlong3 | kSurrogate,
             kTooShort | kTooLarge | kTooLarge1000 | kOverlong4);
  const __m256i by_first_low = LookUp(
      And(first, _mm256_set1_epi8(0x0F)),
      kAny | kOverlong2 | kOverlong3 | kOverlong4, kAny | kOverlong2, kAny,
      kAny, kAny | kTooLarge, kLarge, kLarge, kLarge, kLarge, kLarge, kLarge,
      kLarge, kLarge, kLarge | kSurrogate, kLarge, kLarge);
  const __m256i by_second_high = LookUp(
      High(bytes), kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
      kTooShort, kTooShort, kTooShort,
      kContinues | kOverlong3 | kTooLarge1000 | kOverlong4,
      kContinues | kOverlong3 | kTooLarge, kContinues | kSurrogate | kTooLarge,
      kContinues | kSurrogate | kTooLarge, kTooShort, kTooShort, kTooShort,
      kTooShort);
  const __m256i wrong = And(And(by_first_high, by_first_low), by_second_high);
  // Two bytes in a row that continue a character are right, and needed, as the
  // third or the fourth one of it.
  const __m256i third = _mm256_subs_epu8(_mm256_alignr_epi8(bytes, seam, 14),
                                         _mm256_set1_epi8('\xE0' - '\x80'));
  const __m256i fourth = _mm256_subs_epu8(_mm256_alignr_epi8(bytes, seam, 13),
                                          _mm256_set1_epi8('\xF0' - '\x80'));
  return _mm256_xor_si256(
      wrong, And(Or(third, fourth), _mm256_set1_epi8(kTwoContinue)));
}

class Block {
 public:
  static constexpr std::ptrdiff_t kSize = 64;

  TOKENUSAGE_AVX2 explicit Block(const char* p)
      : a_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))),
        b_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))) {}

  // Returns whether all bytes stand for themselves in a string.
  TOKENUSAGE_AVX2 bool IsPlain() const {
    const __m256i special = Or(Special(a_), Special(b_));
    return _mm256_testz_si256(special, special) != 0;
  }
  TOKENUSAGE_AVX2 std::uint64_t Equals(char c) const {
    return Bits(Equal(a_, c), Equal(b_, c));
  }
  TOKENUSAGE_AVX2 std::uint64_t Control() const {
    const __m256i last = _mm256_set1_epi8(0x1F);
    return Bits(_mm256_cmpeq_epi8(_mm256_max_epu8(a_, last), last),
                _mm256_cmpeq_epi8(_mm256_max_epu8(b_, last), last));
  }
  TOKENUSAGE_AVX2 std::uint64_t NotAscii() const { return Bits(a_, b_); }
  // `before` is the half of a block before this one.
  TOKENUSAGE_AVX2 std::uint64_t IsNotUtf8(__m256i before) const {
    return ~Zero(NotUtf8(before, a_), NotUtf8(a_, b_));
  }
  TOKENUSAGE_AVX2 __m256i last_half() const { return b_; }

  // The bytes that may stand behind a backslash, and hexadecimal digits.
  TOKENUSAGE_AVX2 void FindEscapeBytes(std::uint64_t* escapable,
                                       std::uint64_t* hex) const {
    const __m256i a = EscapeClasses(a_), b = EscapeClasses(b_);
    const __m256i letters = _mm256_set1_epi8(k2 | k5 | k6 | k7);
    const __m256i digits = _mm256_set1_epi8(kDigit | kAToF);
    *escapable = ~Zero(And(a, letters), And(b, letters));
    *hex = ~Zero(And(a, digits), And(b, digits));
  }

 private:
  // Classes of bytes, each of some with the same upper four bits.
  static constexpr int k2 = 1, k5 = 2, k6 = 4, k7 = 8;  // "/, \, bfn, rtu
  static constexpr int kDigit = 16, kAToF = 32;

  TOKENUSAGE_AVX2 static __m256i EscapeClasses(__m256i bytes) {
    const __m256i by_high = LookUp(High(bytes), 0, 0, k2, kDigit, kAToF, k5,
                                   k6 | kAToF, k7, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i by_low = LookUp(
        bytes, kDigit, kDigit | kAToF, kDigit | kAToF | k2 | k6 | k7,
        kDigit | kAToF, kDigit | kAToF | k7, kDigit | kAToF | k7,
        kDigit | kAToF | k6, kDigit, kDigit, kDigit, 0, 0, k5, 0, k6, k2);
    return And(by_high, by_low);
  }
  TOKENUSAGE_AVX2 static __m256i Special(__m256i bytes) {
    // Bytes that are not ASCII are negative.
    const __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes);
    return Or(low, Or(Equal(bytes, '"'), Equal(bytes, '\\')));
  }
  TOKENUSAGE_AVX2 static std::uint64_t Bits(__m256i a, __m256i b) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(a)) |
           std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(b))}
               << 32;
  }
  TOKENUSAGE_AVX2 static std::uint64_t Zero(__m256i a, __m256i b) {
    return Bits(Equal(a, 0), Equal(b, 0));
  }

  __m256i a_, b_;
};

// Returns the bytes that a backslash before them escapes. `*carry` says whether
// the first one is, and becomes that of the next block.
std::uint64_t EscapedBytes(std::uint64_t backslashes, std::uint64_t* carry) {
  // In a run of backslashes every other one escapes: taking a run's start off
  // bits of which every other one is set carries to the run's end.
  constexpr std::uint64_t kOdd = 0xAAAAAAAAAAAAAAAA;
  const std::uint64_t starts = backslashes & ~*carry;
  const std::uint64_t codes = (((starts << 1) | kOdd) - starts) ^ kOdd;
  const std::uint64_t escaped = codes ^ (backslashes | *carry);
  *carry = (codes & backslashes) >> 63;
  return escaped;
}

}  // namespace

__attribute__((target("avx2"))) const char* FindStringEndByBlocks(
    const char* p, const char* end, bool* has_escapes) {
  char tail[Block::kSize];
  __m256i before = _mm256_setzero_si256();
  // What the next block starts with: an escaped byte, hexadecimal digits, the
  // rest of a character.
  std::uint64_t escape = 0, digits = 0, rest = 0;
  while (true) {
    const char* bytes = p;
    if (__builtin_expect(end - p < Block::kSize, 0)) {
      // The zeros behind the text are control characters.
      const auto size = static_cast<std::size_t>(end - p);
      std::memcpy(tail, p, size);
      std::memset(tail + size, 0, sizeof(tail) - size);
      bytes = tail;
    }
    const Block block(bytes);
    if (block.IsPlain() && (escape | digits | rest) == 0) {
      p += Block::kSize;
      continue;
    }
    std::uint64_t bad = block.Control();
    const std::uint64_t not_ascii = block.NotAscii();
    if ((not_ascii | rest) != 0) bad |= block.IsNotUtf8(before);
    rest = not_ascii >> 63;
    before = block.last_half();

    std::uint64_t quotes = block.Equals('"');
    std::uint64_t surrogates = 0;
    const std::uint64_t backslashes = block.Equals('\\');
    if ((backslashes | escape | digits) != 0) {
      const std::uint64_t escaped = EscapedBytes(backslashes, &escape);
      const std::uint64_t unicode = escaped & block.Equals('u');
      std::uint64_t escapable, hex;
      block.FindEscapeBytes(&escapable, &hex);
      const std::uint64_t first = unicode << 1 | digits >> 3;
      bad |= escaped & ~escapable;
      bad |=
          (first | unicode << 2 | unicode << 3 | unicode << 4 | digits) & ~hex;
      digits = unicode >> 63 | unicode >> 62 | unicode >> 61 | unicode >> 60;
      // Perhaps: Hangul may have the same first digit.
      surrogates = first & (block.Equals('d') | block.Equals('D'));
      quotes &= ~escaped;
    }
    // Bytes up to a stop are checked here: what is unfinished there is bad.
    const std::uint64_t stops = quotes | surrogates;
    const std::uint64_t checked = stops ^ (stops - 1);
    if ((bad & checked) != 0) return nullptr;
    if ((backslashes & checked) != 0) *has_escapes = true;
    if (stops == 0) {
      p += Block::kSize;
      continue;
    }
    p += __builtin_ctzll(stops);
    if ((quotes & checked) != 0) return p;
    // Both escapes of a pair are read on their own, and the text behind them is
    // the start of another block.
    std::uint32_t code;
    p = TakeEscape(p - 2, end, &code, nullptr);
    if (p == nullptr) return nullptr;
    before = _mm256_setzero_si256();
    escape = digits = rest = 0;
  }
}

#undef TOKENUSAGE_AVX2

}  // namespace json_internal
}  // namespace tokenusage

#endif  // defined(__x86_64__)
