// What the code for exact shapes, made by protoc-gen-tokenusage-json, is made
// of: see ExactShape in message_table.h.

#ifndef TOKENUSAGE_JSON_EXACT_SHAPE_H_
#define TOKENUSAGE_JSON_EXACT_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tokenusage/json/digits.h"
#include "tokenusage/json/number_reader.h"
#include "tokenusage/json/number_writer.h"
#include "tokenusage/json/padding.h"

namespace tokenusage {
namespace json_internal {

static_assert(kJsonPadding >= kNumberWindow, "numbers are read in one go");

// Whether the bytes at `p` are those of a string literal, by words of it.
template <std::size_t kSize>
inline bool IsLiteral(const char* p, const char (&literal)[kSize]) {
  constexpr std::size_t kLength = kSize - 1;
  if constexpr (kLength < 8) {
    return std::memcmp(p, literal, kLength) == 0;
  } else {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i + 8 <= kLength; i += 8) {
      difference |= LoadWord(p + i) ^ LoadWord(literal + i);
    }
    difference |= LoadWord(p + kLength - 8) ^ LoadWord(literal + kLength - 8);
    return difference == 0;
  }
}

// Takes a document apart, piece by piece; every piece that is not as expected
// is an end of it. Inlined, so that it is all in registers.
template <bool kPadded>
class ShapeReader {
 public:
  ShapeReader(const char* p, const char* end) : p_(p), end_(end) {}

  template <std::size_t kSize>
  __attribute__((always_inline)) bool Take(const char (&literal)[kSize]) {
    constexpr std::ptrdiff_t kLength = kSize - 1;
    return end_ - p_ >= kLength && TakeUnchecked(&p_, literal);
  }

  // A number and the literal behind it.
  template <std::size_t kSize>
  __attribute__((always_inline)) bool TakeDouble(double* value,
                                                 const char (&next)[kSize]) {
    constexpr std::ptrdiff_t kLength = kSize - 1;
    // With padding it can be seen later that the document has ended.
    constexpr bool kMayOverrun =
        kPadded && kShortNumberBytes + kLength <= std::ptrdiff_t{kJsonPadding};
    const char* p = p_;
    if (__builtin_expect((kPadded || end_ - p >= kShortNumberWindow) &&
                             TakeShortDouble(&p, value) &&
                             (kMayOverrun || end_ - p >= kLength) &&
                             TakeUnchecked(&p, next) &&
                             (!kMayOverrun || p <= end_),
                         1)) {
      p_ = p;
      return true;
    }
    p_ = ReadOtherDouble(p_, end_, kPadded, value);
    return p_ != nullptr && Take(next);
  }

  // Whether the document ends here, or, with `line`, its line.
  __attribute__((always_inline)) bool AtEnd(bool line) const {
    if (__builtin_expect(p_ == end_, 1)) return true;
    return line ? *p_ == '\n' : OnlySpace();
  }

  const char* position() const { return p_; }

 private:
  __attribute__((noinline)) bool OnlySpace() const {
    const char* p = p_;
    while (p < end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
      ++p;
    }
    return p == end_;
  }

  template <std::size_t kSize>
  __attribute__((always_inline)) static bool TakeUnchecked(
      const char** p, const char (&literal)[kSize]) {
    if (!IsLiteral(*p, literal)) return false;
    *p += kSize - 1;
    return true;
  }

  const char* p_;
  const char* const end_;
};

template <std::size_t kSize>
inline char* PutLiteral(const char (&literal)[kSize], char* out) {
  std::memcpy(out, literal, kSize - 1);
  return out + kSize - 1;
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_EXACT_SHAPE_H_
