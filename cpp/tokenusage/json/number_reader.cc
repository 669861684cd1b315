#include "tokenusage/json/number_reader.h"

#include <cstring>
#include <string_view>

#include "tokenusage/json/number.h"

namespace tokenusage {
namespace json_internal {
namespace {

// Digits that surely fit in 64 bits.
constexpr std::uint32_t kMaxDigits = 19;

constexpr std::uint64_t kWholePowers[] = {1,
                                          10,
                                          100,
                                          1000,
                                          10000,
                                          100000,
                                          1000000,
                                          10000000,
                                          100000000,
                                          1000000000,
                                          10000000000,
                                          100000000000,
                                          1000000000000,
                                          10000000000000,
                                          100000000000000,
                                          1000000000000000,
                                          10000000000000000};

// The number that the first `count` of eight digits' values make.
std::uint64_t FirstDigits(std::uint64_t values, std::uint32_t count) {
  // Two shifts, as one by 64 is not defined.
  return FromDigits(values << (32 - 4 * count) << (32 - 4 * count));
}

// How many of eight characters' values are a digit's, from the first on.
std::uint32_t CountDigits(std::uint64_t values) {
  const std::uint64_t others = NotDigits(values);
  if (others == 0) return 8;
  return static_cast<std::uint32_t>(__builtin_ctzll(others)) / 8;
}

// At most eight digits, and at most 16 behind a point, 19 in all, without sign
// and exponent; null for anything else. Reads kNumberWindow bytes.
__attribute__((noinline)) const char* ReadLongDouble(const char* p,
                                                     double* value) {
  const std::uint64_t before = LoadWord(p) ^ kEightZeros;
  const std::uint32_t whole = CountDigits(before);
  if (whole == 0 || (*p == '0' && whole != 1)) return nullptr;
  std::uint64_t digits = FirstDigits(before, whole);
  p += whole;
  std::uint32_t decimals = 0;
  if (*p == '.') {
    ++p;
    const std::uint64_t first = LoadWord(p) ^ kEightZeros;
    decimals = CountDigits(first);
    if (decimals == 0) return nullptr;
    if (decimals < 8) {
      digits = digits * kWholePowers[decimals] + FirstDigits(first, decimals);
    } else {
      const std::uint64_t second = LoadWord(p + 8) ^ kEightZeros;
      const std::uint32_t rest = CountDigits(second);
      decimals += rest;
      if (whole + decimals > kMaxDigits) return nullptr;
      digits = digits * kWholePowers[decimals] +
               FromDigits(first) * kWholePowers[rest] +
               FirstDigits(second, rest);
    }
    p += decimals;
  }
  if ((*p >= '0' && *p <= '9') || IsExponent(*p)) return nullptr;
  *value = ToDouble(digits, -static_cast<std::int64_t>(decimals));
  return p;
}

// Any number, by the general way.
__attribute__((cold)) const char* ReadAnyDouble(const char* p, const char* end,
                                                double* value) {
  const std::string_view text(p, static_cast<std::size_t>(end - p));
  const NumberSpan span = ScanNumber(text);
  if (!span.valid || !ParseDouble(text.substr(0, span.length), value)) {
    return nullptr;
  }
  return p + span.length;
}

// Copies less than kNumberWindow bytes: by two fixed pieces, as a call would
// cost more.
void CopyShort(const char* from, std::size_t size, char* to) {
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

// A number of a document's last bytes, less than kNumberWindow, by way of a
// copy. Null where it is neither short nor long.
__attribute__((noinline)) const char* ReadLastDouble(const char* p,
                                                     std::ptrdiff_t left,
                                                     double* value) {
  char window[kNumberWindow] = {};
  CopyShort(p, static_cast<std::size_t>(left), window);
  const char* after = window;
  if (!TakeShortDouble(&after, value) || IsExponent(*after)) {
    after = ReadLongDouble(window, value);
  }
  return after == nullptr ? nullptr : p + (after - window);
}

}  // namespace

const char* ReadOtherDouble(const char* p, const char* end, bool padded,
                            double* value) {
  const std::ptrdiff_t left = end - p;
  if (left <= 0) return nullptr;
  const char* const after = padded || left >= kNumberWindow
                                ? ReadLongDouble(p, value)
                                : ReadLastDouble(p, left, value);
  // One that ends behind `end` has run into what lies there.
  if (after != nullptr && after <= end) return after;
  return ReadAnyDouble(p, end, value);
}

}  // namespace json_internal
}  // namespace tokenusage
