// The fast readers of numbers take what the general one takes, and nothing
// else.

#include "tokenusage/json/number_reader.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/seed.h"
#include "tokenusage/json/exact_shape.h"
#include "tokenusage/json/number.h"

namespace tokenusage {
namespace json_internal {
namespace {

constexpr int kTexts = 100000;

std::uint64_t BitsOf(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// Mostly digits, so that most texts begin with a number of some length.
std::string RandomText(std::size_t size, std::mt19937_64* random) {
  static constexpr char kLetters[] =
      "01234567890123456789012345678901234567890123456789.....,,,}eE+- "
      "\x80\xFF";
  std::uniform_int_distribution<std::size_t> letter(0, sizeof(kLetters) - 2);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += kLetters[letter(*random)];
  return text;
}

// The number at a text's beginning as the general reader has it; length 0 for
// none.
struct Expected {
  explicit Expected(std::string_view text) {
    const NumberSpan span = ScanNumber(text);
    if (span.valid && ParseDouble(text.substr(0, span.length), &value)) {
      length = span.length;
    }
  }
  std::size_t length = 0;
  double value = 0;
};

// Reads the first `size` bytes of `memory`; behind them there may be padding.
template <bool kPadded>
void ExpectReads(const std::vector<char>& memory, std::size_t size) {
  const std::string_view text(memory.data(), size);
  const char* const end = memory.data() + size;
  const Expected expected(text);
  double value = -1;
  const char* p = memory.data();
  const bool taken = TakeDouble<kPadded>(&p, end, &value);
  ASSERT_EQ(taken, expected.length > 0) << text;
  ASSERT_EQ(p - memory.data(), static_cast<std::ptrdiff_t>(expected.length))
      << text;
  if (taken) {
    ASSERT_EQ(BitsOf(value), BitsOf(expected.value)) << text;
  }

  ShapeReader<kPadded> in(memory.data(), end);
  const bool followed = taken && expected.length < size && *p == ',';
  ASSERT_EQ(in.TakeDouble(&value, ","), followed) << text;
  if (followed) {
    ASSERT_EQ(in.position(), p + 1) << text;
    ASSERT_EQ(BitsOf(value), BitsOf(expected.value)) << text;
  }
}

TEST(NumberReaderTest, ReadsAsTheGeneralReader) {
  std::mt19937_64 random(testing::TestSeed());
  std::uniform_int_distribution<std::size_t> any_size(0, 40);
  int numbers = 0;
  for (int i = 0; i < kTexts; ++i) {
    const std::size_t size = any_size(random);
    const std::string text = RandomText(size + kJsonPadding, &random);
    numbers += Expected(std::string_view(text).substr(0, size)).length > 0;
    ASSERT_NO_FATAL_FAILURE(
        ExpectReads<true>({text.begin(), text.end()}, size));
    // Memory of that size and no more.
    ASSERT_NO_FATAL_FAILURE(ExpectReads<false>(
        {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)},
        size));
  }
  EXPECT_GT(numbers, kTexts / 2);
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
