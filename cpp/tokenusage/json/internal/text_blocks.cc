// SPDX-License-Identifier: Apache-2.0
//
// Checks the text of strings in blocks of 64 bytes. A set of bytes of a block
// is a 64-bit word with a bit for each byte; the first byte has the lowest bit.

#include "tokenusage/json/internal/text.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

namespace tokenusage {
namespace json_internal {
namespace {

__extension__ typedef unsigned __int128 Wide;

#define TOKENUSAGE_AVX2 __attribute__((target("avx2"), always_inline)) inline

TOKENUSAGE_AVX2 __m256i Or(__m256i a, __m256i b) {
  return _mm256_or_si256(a, b);
}
TOKENUSAGE_AVX2 __m256i And(__m256i a, __m256i b) {
  return _mm256_and_si256(a, b);
}
// Returns a vector that repeats one byte. The `asm` hides its value from the
// compiler, which would otherwise build the vector again for each block.
TOKENUSAGE_AVX2 __m256i All(char c) {
  __m256i bytes = _mm256_set1_epi8(c);
  asm("" : "+x"(bytes));
  return bytes;
}
TOKENUSAGE_AVX2 __m256i Equal(__m256i bytes, char c) {
  return _mm256_cmpeq_epi8(bytes, All(c));
}
// Returns the upper four bits of each byte.
TOKENUSAGE_AVX2 __m256i High(__m256i bytes) {
  return And(_mm256_srli_epi16(bytes, 4), All(0x0F));
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
// Instruction Per Byte": each bit of a table's entry stands for a way in which
// two bytes can be wrong, as far as four of their bits tell. They are wrong in
// that way if all three tables have the bit.
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
  const __m256i by_first_low =
      LookUp(And(first, All(0x0F)), kAny | kOverlong2 | kOverlong3 | kOverlong4,
             kAny | kOverlong2, kAny, kAny, kAny | kTooLarge, kLarge, kLarge,
             kLarge, kLarge, kLarge, kLarge, kLarge, kLarge,
             kLarge | kSurrogate, kLarge, kLarge);
  const __m256i by_second_high = LookUp(
      High(bytes), kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
      kTooShort, kTooShort, kTooShort,
      kContinues | kOverlong3 | kTooLarge1000 | kOverlong4,
      kContinues | kOverlong3 | kTooLarge, kContinues | kSurrogate | kTooLarge,
      kContinues | kSurrogate | kTooLarge, kTooShort, kTooShort, kTooShort,
      kTooShort);
  const __m256i wrong = And(And(by_first_high, by_first_low), by_second_high);
  // Two continuation bytes in a row are right, and required, if the second is
  // the third or the fourth byte of a character.
  const __m256i third = _mm256_subs_epu8(_mm256_alignr_epi8(bytes, seam, 14),
                                         All('\xE0' - '\x80'));
  const __m256i fourth = _mm256_subs_epu8(_mm256_alignr_epi8(bytes, seam, 13),
                                          All('\xF0' - '\x80'));
  return _mm256_xor_si256(wrong, And(Or(third, fourth), All(kTwoContinue)));
}

// Returns a word with the highest bit of each byte.
TOKENUSAGE_AVX2 std::uint64_t HighBits(__m256i a, __m256i b) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(a)) |
         std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(b))}
             << 32;
}

// Classes of bytes, as bits. A byte belongs to the classes that the table of
// its upper four bits and that of its lower four have in common. Bytes of the
// first four classes may follow a backslash; kSigns are the quote and the
// slash. kD is the letter in either case, and the bit that HighBits returns.
enum ByteClass : int {
  kSigns = 1,
  kBackslash = 2,
  kBfn = 4,
  kRtu = 8,
  kEscapable = kSigns | kBackslash | kBfn | kRtu,
  kDigit = 16,
  kAToF = 32,
  kHex = kDigit | kAToF,
  kD = -128
};

class Block {
 public:
  static constexpr std::ptrdiff_t kSize = 64;

  TOKENUSAGE_AVX2 explicit Block(const char* p)
      : a_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))),
        b_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))) {}

  // Returns whether all bytes stand for themselves in a string.
  TOKENUSAGE_AVX2 bool IsPlain() const {
    return _mm256_movemask_epi8(Or(Special(a_), Special(b_))) == 0;
  }
  TOKENUSAGE_AVX2 bool IsAscii() const {
    return _mm256_movemask_epi8(Or(a_, b_)) == 0;
  }
  TOKENUSAGE_AVX2 std::uint64_t Equals(char c) const {
    return HighBits(Equal(a_, c), Equal(b_, c));
  }
  // Returns the control characters and, unless `is_ascii`, the bytes that are
  // not UTF-8. `before` is the last half of the block before this one.
  TOKENUSAGE_AVX2 std::uint64_t Bad(bool is_ascii, __m256i before) const {
    __m256i a = Control(a_), b = Control(b_);
    if (!is_ascii) {
      a = Or(a, NotUtf8(before, a_));
      b = Or(b, NotUtf8(a_, b_));
    }
    const __m256i any = Or(a, b);
    if (_mm256_testz_si256(any, any) != 0) return 0;
    return ~HighBits(Equal(a, 0), Equal(b, 0));
  }
  TOKENUSAGE_AVX2 __m256i last_half() const { return b_; }

  // Finds the bytes that may not follow a backslash, those that are not
  // hexadecimal digits, and those of kD.
  TOKENUSAGE_AVX2 void Classify(std::uint64_t* not_escapable,
                                std::uint64_t* not_hex,
                                std::uint64_t* d) const {
    const __m256i a = ClassesOf(a_), b = ClassesOf(b_);
    *not_escapable = NoneOf(kEscapable, a, b);
    *not_hex = NoneOf(kHex, a, b);
    *d = HighBits(a, b);
  }

 private:
  TOKENUSAGE_AVX2 static __m256i ClassesOf(__m256i bytes) {
    return And(LookUp(High(bytes), 0, 0, kSigns, kDigit, kAToF | kD, kBackslash,
                      kBfn | kAToF | kD, kRtu, 0, 0, 0, 0, 0, 0, 0, 0),
               LookUp(bytes, kDigit, kHex, kHex | kSigns | kBfn | kRtu, kHex,
                      kHex | kRtu | kD, kHex | kRtu, kHex | kBfn, kDigit,
                      kDigit, kDigit, 0, 0, kBackslash, 0, kBfn, kSigns));
  }
  TOKENUSAGE_AVX2 static std::uint64_t NoneOf(int classes, __m256i a,
                                              __m256i b) {
    const __m256i mask = All(static_cast<char>(classes));
    return HighBits(Equal(And(a, mask), 0), Equal(And(b, mask), 0));
  }
  TOKENUSAGE_AVX2 static __m256i Control(__m256i bytes) {
    const __m256i last = All(0x1F);
    return _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, last), last);
  }
  // Sets the highest bit of bytes that do not stand for themselves. In bytes
  // that are not ASCII it stays set, since the subtraction saturates.
  TOKENUSAGE_AVX2 static __m256i Special(__m256i bytes) {
    const __m256i signs =
        LookUp(bytes, -1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0);
    return Or(_mm256_subs_epi8(bytes, All(0x20)),
              _mm256_cmpeq_epi8(bytes, signs));
  }

  __m256i a_, b_;
};

// Returns 1 if a word is not zero and 0 otherwise, without a branch.
std::uint64_t IsNotZero(std::uint64_t word) {
  return (word | (0 - word)) >> 63;
}

// Returns the bytes that the backslash before them escapes. `*carry` is 1 if
// the block before escapes this one's first byte, and becomes the same for the
// next block.
std::uint64_t EscapedBytes(std::uint64_t backslashes, std::uint64_t* carry) {
  // In a run of backslashes, every other one escapes. Subtracting the runs from
  // bits of which every other one is set tells which, by borrows.
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
  // The start of the next block, if not zero: an escaped byte, hexadecimal
  // digits (a bit for each), perhaps the rest of a character.
  std::uint64_t escape = 0, digits = 0, rest = 0;
  std::uint64_t escapes = 0;
  // A bit for each of the last eight blocks, set if it had a backslash. If
  // blocks with and without escapes alternate, a branch that is predicted
  // wrongly costs more than the check that it saves.
  std::uint64_t recent_backslashes = 0;
  while (true) {
    const char* bytes = p;
    if (__builtin_expect(end - p < Block::kSize, 0)) {
      // The zeros after the text are control characters.
      const auto size = static_cast<std::size_t>(end - p);
      std::memcpy(tail, p, size);
      std::memset(tail + size, 0, sizeof(tail) - size);
      bytes = tail;
    }
    const Block block(bytes);
    if (recent_backslashes == 0 && block.IsPlain() && rest == 0) {
      p += Block::kSize;
      continue;
    }
    std::uint64_t bad = block.Bad(block.IsAscii() && rest == 0, before);
    rest = bytes[Block::kSize - 1] < 0;
    before = block.last_half();

    std::uint64_t quotes = block.Equals('"');
    std::uint64_t surrogates = 0;
    const std::uint64_t backslashes = block.Equals('\\');
    recent_backslashes =
        (recent_backslashes << 1 & 0xFF) | IsNotZero(backslashes);
    if (recent_backslashes != 0) {
      const std::uint64_t escaped = EscapedBytes(backslashes, &escape);
      const std::uint64_t unicode = escaped & block.Equals('u');
      std::uint64_t not_escapable, not_hex, d;
      block.Classify(&not_escapable, &not_hex, &d);
      // The four bytes after each `u`. If they overlap, the lowest bits are
      // right, and the backslash between the two is bad.
      const Wide four = Wide{unicode} * 0b11110;
      bad |= escaped & not_escapable;
      bad |= (static_cast<std::uint64_t>(four) | digits) & not_hex;
      // Candidates: code points of Hangul begin with the digit d, too.
      surrogates = (unicode << 1 | digits >> 3) & d;
      digits = static_cast<std::uint64_t>(four >> 64);
      quotes &= ~escaped;
    }
    // Bytes up to the first stop are checked here. If an escape or a character
    // is unfinished there, the stop is a bad byte.
    const std::uint64_t stops = quotes | surrogates;
    const std::uint64_t checked = stops ^ (stops - 1);
    if ((bad & checked) != 0) return nullptr;
    escapes |= backslashes & checked;
    if (stops == 0) {
      p += Block::kSize;
      continue;
    }
    p += __builtin_ctzll(stops);
    if ((quotes & checked) != 0) {
      *has_escapes = escapes != 0;
      return p;
    }
    // A pair of surrogates is rare, so it is read on its own, and a new block
    // starts after it.
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
