#include "tokenusage/json/text_scan.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace json_internal {
namespace {

// Every way finds the same end, and reads nothing behind it.
TEST(PlainTextEndTest, IsTheFirstByteThatIsNotPlain) {
  std::mt19937_64 random(testing::TestSeed());
  const std::string others("\"\\\x00\x1F\n\x80\xC3\xFF", 8);
  for (int round = 0; round < 20000; ++round) {
    const std::size_t size = random() % 600;
    const std::unique_ptr<char[]> block(new char[size]);
    std::generate_n(block.get(), size, [&] {
      return static_cast<char>("~ !#az09[]^\x7F"[random() % 12]);
    });
    if (size > 0 && random() % 4 > 0) {
      block[random() % size] = others[random() % others.size()];
    }
    const char* const end = block.get() + size;
    const char* const expected =
        std::find_if_not(const_cast<const char*>(block.get()), end, IsPlain);
    ASSERT_EQ(ShortPlainTextEnd(block.get(), end), expected);
    ASSERT_EQ(PlainTextEnd(block.get(), end), expected);
    ASSERT_EQ(PlainTextEndPortable(block.get(), end), expected);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
      ASSERT_EQ(PlainTextEndAvx2(block.get(), end), expected);
    }
#endif
  }
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
