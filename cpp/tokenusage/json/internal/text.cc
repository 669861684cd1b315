// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/text.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace json_internal {
namespace {

const char* Fail(const char* at, std::string_view expected, TextError* error) {
  if (error != nullptr) *error = {at, expected, false};
  return nullptr;
}

// Appends a Unicode scalar value.
void AppendUtf8(std::uint32_t code, std::string* out) {
  const auto push = [out](std::uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | (code >> 6));
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | (code >> 12));
    push(0x80 | ((code >> 6) & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | (code >> 18));
    push(0x80 | ((code >> 12) & 0x3F));
    push(0x80 | ((code >> 6) & 0x3F));
    push(0x80 | (code & 0x3F));
  }
}

// The values of hexadecimal digits; kNotHex for other characters.
constexpr std::uint32_t kNotHex = 0x10000;
struct HexDigits {
  constexpr HexDigits() : of_character() {
    for (std::uint32_t& digit : of_character) digit = kNotHex;
    for (std::uint32_t i = 0; i < 16; ++i) {
      of_character[static_cast<int>("0123456789abcdef"[i])] = i;
      of_character[static_cast<int>("0123456789ABCDEF"[i])] = i;
    }
  }
  std::uint32_t operator()(char c) const {
    return of_character[static_cast<unsigned char>(c)];
  }
  std::uint32_t of_character[256];
};
constexpr HexDigits kHex;

// What a letter behind a backslash stands for; 0 if nothing does.
struct SimpleEscapes {
  constexpr SimpleEscapes() : of_letter() {
    Set('"', '"');
    Set('\\', '\\');
    Set('/', '/');
    Set('b', '\b');
    Set('f', '\f');
    Set('n', '\n');
    Set('r', '\r');
    Set('t', '\t');
  }
  constexpr void Set(char letter, char meaning) {
    of_letter[static_cast<unsigned char>(letter)] = meaning;
  }
  char of_letter[256];
};
constexpr SimpleEscapes kSimpleEscapes;

// Takes the four digits behind \u at `p`.
const char* TakeHex(const char* p, const char* end, std::uint32_t* code,
                    TextError* error) {
  if (end - p >= 6) {
    *code = kHex(p[2]) << 12 | kHex(p[3]) << 8 | kHex(p[4]) << 4 | kHex(p[5]);
    if (*code < kNotHex) return p + 6;
  }
  p += 2;
  while (p < end && kHex(*p) < kNotHex) ++p;
  return Fail(std::min(p, end), "four hexadecimal digits", error);
}

// Takes the escape that starts at the backslash `p`.
inline const char* TakeEscape(const char* p, const char* end,
                              std::uint32_t* code, TextError* error) {
  if (end - p < 2) return Fail(end, "the rest of the escape", error);
  if (p[1] != 'u') {
    *code = static_cast<unsigned char>(
        kSimpleEscapes.of_letter[static_cast<unsigned char>(p[1])]);
    if (*code != 0) return p + 2;
    return Fail(p + 1, "one of \"\\/bfnrtu after a backslash", error);
  }
  const char* after = TakeHex(p, end, code, error);
  if (after == nullptr || (*code & 0xF800) != 0xD800) return after;
  std::uint32_t low = 0;
  if (*code <= 0xDBFF && end - after >= 2 && after[0] == '\\' &&
      after[1] == 'u') {
    after = TakeHex(after, end, &low, error);
    if (after == nullptr) return nullptr;
  }
  if ((low & 0xFC00) != 0xDC00) {
    if (error != nullptr) *error = {p, "a surrogate pair", true};
    return nullptr;
  }
  *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
  return after;
}

#if defined(__x86_64__)

#define TOKENUSAGE_AVX2 __attribute__((target("avx2"), always_inline)) inline

// 32 bytes of text. Properties of bytes are bits, the first byte's the lowest.
class Block {
 public:
  static constexpr int kSize = 32;

  TOKENUSAGE_AVX2 Block() : bytes_(_mm256_setzero_si256()) {}
  TOKENUSAGE_AVX2 explicit Block(const char* p)
      : bytes_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))) {}

  TOKENUSAGE_AVX2 std::uint32_t Equal(char c) const {
    return Bits(EqualBytes(c));
  }
  TOKENUSAGE_AVX2 std::uint32_t Control() const {
    const __m256i last = _mm256_set1_epi8(0x1F);
    return Bits(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes_, last), last));
  }
  TOKENUSAGE_AVX2 std::uint32_t NotAscii() const { return Bits(bytes_); }

  // Whether all bytes stand for themselves in a string.
  TOKENUSAGE_AVX2 bool IsPlain() const {
    // Bytes that are not ASCII are negative.
    const __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes_);
    return Bits(Or(low, Or(EqualBytes('"'), EqualBytes('\\')))) == 0;
  }

  // The bytes that may stand behind a backslash.
  TOKENUSAGE_AVX2 std::uint32_t Escapable() const {
    const __m256i signs =
        Or(EqualBytes('/'), Or(EqualBytes('"'), EqualBytes('\\')));
    const __m256i a = Or(EqualBytes('b'), Or(EqualBytes('f'), EqualBytes('n')));
    const __m256i b = Or(EqualBytes('r'), Or(EqualBytes('t'), EqualBytes('u')));
    return Bits(Or(signs, Or(a, b)));
  }

  // The bytes by which, with those before them, the text is not UTF-8. This is
  // the method of Keiser and Lemire, "Validating UTF-8 In Less Than One
  // Instruction Per Byte": a bit of a table's entry is a way in which two bytes
  // can be wrong, as far as four of their bits tell; if three tables agree,
  // they are.
  TOKENUSAGE_AVX2 std::uint32_t NotUtf8(const Block& before) const {
    constexpr char kTooShort = 1 << 0, kTooLong = 1 << 1, kOverlong3 = 1 << 2,
                   kTooLarge = 1 << 3, kSurrogate = 1 << 4, kOverlong2 = 1 << 5,
                   kTooLarge1000 = 1 << 6, kOverlong4 = 1 << 6,
                   kTwoContinue = -128;
    constexpr char kAny = kTooShort | kTooLong | kTwoContinue;
    constexpr char kLarge = kAny | kTooLarge | kTooLarge1000;
    constexpr char kContinues = kTooLong | kOverlong2 | kTwoContinue;
    const __m256i by_first_high = Table(
        kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong, kTooLong,
        kTooLong, kTwoContinue, kTwoContinue, kTwoContinue, kTwoContinue,
        kTooShort | kOverlong2, kTooShort, kTooShort | kOverlong3 | kSurrogate,
        kTooShort | kTooLarge | kTooLarge1000 | kOverlong4);
    const __m256i by_first_low = Table(
        kAny | kOverlong2 | kOverlong3 | kOverlong4, kAny | kOverlong2, kAny,
        kAny, kAny | kTooLarge, kLarge, kLarge, kLarge, kLarge, kLarge, kLarge,
        kLarge, kLarge, kLarge | kSurrogate, kLarge, kLarge);
    const __m256i by_second_high =
        Table(kTooShort, kTooShort, kTooShort, kTooShort, kTooShort, kTooShort,
              kTooShort, kTooShort,
              kContinues | kOverlong3 | kTooLarge1000 | kOverlong4,
              kContinues | kOverlong3 | kTooLarge,
              kContinues | kSurrogate | kTooLarge,
              kContinues | kSurrogate | kTooLarge, kTooShort, kTooShort,
              kTooShort, kTooShort);

    const __m256i seam = _mm256_permute2x128_si256(before.bytes_, bytes_, 0x21);
    const __m256i first = _mm256_alignr_epi8(bytes_, seam, 15);
    const __m256i wrong = _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(by_first_high, High(first)),
                         _mm256_shuffle_epi8(by_first_low, Low(first))),
        _mm256_shuffle_epi8(by_second_high, High(bytes_)));
    // Two bytes in a row that continue a character are right, and needed, as
    // the third or the fourth one of it.
    const __m256i third = _mm256_subs_epu8(_mm256_alignr_epi8(bytes_, seam, 14),
                                           _mm256_set1_epi8('\xE0' - '\x80'));
    const __m256i fourth =
        _mm256_subs_epu8(_mm256_alignr_epi8(bytes_, seam, 13),
                         _mm256_set1_epi8('\xF0' - '\x80'));
    const __m256i needed =
        _mm256_and_si256(Or(third, fourth), _mm256_set1_epi8(kTwoContinue));
    return ~Bits(_mm256_cmpeq_epi8(wrong, needed));
  }

 private:
  template <typename... Chars>
  TOKENUSAGE_AVX2 static __m256i Table(Chars... entries) {
    return _mm256_setr_epi8(static_cast<char>(entries)...,
                            static_cast<char>(entries)...);
  }
  TOKENUSAGE_AVX2 static std::uint32_t Bits(__m256i bytes) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
  }
  TOKENUSAGE_AVX2 static __m256i Or(__m256i a, __m256i b) {
    return _mm256_or_si256(a, b);
  }
  TOKENUSAGE_AVX2 static __m256i Low(__m256i bytes) {
    return _mm256_and_si256(bytes, _mm256_set1_epi8(0x0F));
  }
  TOKENUSAGE_AVX2 static __m256i High(__m256i bytes) {
    return Low(_mm256_srli_epi16(bytes, 4));
  }
  TOKENUSAGE_AVX2 __m256i EqualBytes(char c) const {
    return _mm256_cmpeq_epi8(bytes_, _mm256_set1_epi8(c));
  }

  __m256i bytes_;
};

// Returns the bytes that a backslash before them escapes.
std::uint32_t EscapedBytes(std::uint32_t backslashes) {
  // In a run of backslashes every other one escapes: taking a run's start off
  // bits of which every other one is set carries to the run's end.
  constexpr std::uint32_t kOdd = 0xAAAAAAAA;
  const std::uint32_t codes =
      (((backslashes << 1) | kOdd) - backslashes) ^ kOdd;
  return codes ^ backslashes;
}

__attribute__((target("avx2"))) const char* FindEndByBlocks(const char* p,
                                                            const char* end,
                                                            bool* has_escapes) {
  Block before;       // zeros, unless the text goes on from there
  bool open = false;  // whether it may have cut off a character
  while (end - p >= Block::kSize) {
    const Block block(p);
    if (block.IsPlain() && !open) {
      p += Block::kSize;
      continue;
    }
    const std::uint32_t backslashes = block.Equal('\\');
    std::uint32_t bad = block.Control();
    std::uint32_t escaped = 0, cut_off = 0;
    if (open || block.NotAscii() != 0) bad |= block.NotUtf8(before);
    if (backslashes != 0) {
      *has_escapes = true;
      escaped = EscapedBytes(backslashes);
      bad |= escaped & ~block.Escapable();
      cut_off = backslashes & ~escaped & std::uint32_t{1} << 31;
    }
    const std::uint32_t quotes = block.Equal('"') & ~escaped;
    // Bytes up to here are checked: an unfinished character before the quote is
    // bad there.
    const std::uint32_t stops = quotes | cut_off;
    const std::uint32_t checked = stops ^ (stops - 1);
    if ((bad & checked) != 0) return nullptr;

    // A branch, so that the next block need not wait for this one.
    const char* next = p + Block::kSize;
    if (__builtin_expect(stops != 0, 0)) next = p + __builtin_ctz(stops);
    std::uint32_t hex = escaped & block.Equal('u') & checked;
    while (hex != 0) {
      std::uint32_t code;
      const char* const after =
          TakeEscape(p + __builtin_ctz(hex) - 1, end, &code, nullptr);
      if (after == nullptr) return nullptr;
      // A pair of surrogates may be two of these.
      const auto size = after - p;
      hex = size >= Block::kSize ? 0 : hex & ~std::uint32_t{0} << size;
      if (after > next) next = after;
    }
    if ((quotes & checked) != 0) return next;
    open = block.NotAscii() >> 31 != 0 && next == p + Block::kSize;
    before = open ? block : Block();
    p = next;
  }
  if (open) {
    // Back to the start of the character.
    do --p;
    while ((*p & 0xC0) == 0x80);
  }
  const char* const quote = ScanString(p, end, nullptr, nullptr);
  if (quote != nullptr && !*has_escapes) {
    *has_escapes =
        std::memchr(p, '\\', static_cast<std::size_t>(quote - p)) != nullptr;
  }
  return quote;
}

#undef TOKENUSAGE_AVX2
#endif

}  // namespace

const char* ScanString(const char* p, const char* end, std::string* unescaped,
                       TextError* error) {
  const char* run = p;  // where the text since the last escape starts
  const auto take_run = [&] {
    if (unescaped != nullptr) unescaped->append(run, p);
  };
  while (true) {
    while (end - p >= 8) {
      const char* const stop = FindNotPlain(p);
      p = stop == nullptr ? p + 8 : stop;
      if (stop != nullptr) break;
    }
    if (p == end) return Fail(end, "the string's closing quote", error);
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"') {
      take_run();
      return p;
    }
    if (c == '\\') {
      take_run();
      std::uint32_t code;
      p = TakeEscape(p, end, &code, error);
      if (p == nullptr) return nullptr;
      if (unescaped != nullptr) AppendUtf8(code, unescaped);
      run = p;
      continue;
    }
    if (c < 0x20) {
      return Fail(p, "control characters in strings escaped", error);
    }
    const std::size_t length =
        Utf8CharLength({p, static_cast<std::size_t>(end - p)});
    if (length == 0) return Fail(p, "UTF-8", error);
    p += length;
  }
}

const char* FindLongStringEnd(const char* p, const char* end, bool* escaped) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return FindEndByBlocks(p, end, escaped);
#endif
  const char* const quote = ScanString(p, end, nullptr, nullptr);
  if (quote != nullptr) {
    *escaped =
        std::string_view(p, static_cast<std::size_t>(quote - p)).find('\\') !=
        std::string_view::npos;
  }
  return quote;
}

bool IsPlain(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 8; p += 8) {
    if (FindNotPlain(p) != nullptr) return false;
  }
  for (; p < end; ++p) {
    const auto c = static_cast<signed char>(*p);
    if (c < 0x20 || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace json_internal
}  // namespace tokenusage
