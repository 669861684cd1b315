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
    // With padding it can be seen later that the document has ended.
    constexpr bool kMayOverrun =
        kPadded && kSize - 1 <= kJsonPadding - kNumberWindow;
    if (!kMayOverrun && end_ - p_ < static_cast<std::ptrdiff_t>(kSize - 1)) {
      return false;
    }
    if (!IsLiteral(p_, literal)) return false;
    p_ += kSize - 1;
    return true;
  }

  __attribute__((always_inline)) bool TakeDouble(double* value) {
    p_ = ReadDouble<FastScan, kPadded>(p_, end_, value);
    return p_ != nullptr;
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
