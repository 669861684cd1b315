// SPDX-License-Identifier: Apache-2.0

// Reads values from the bytes of a fuzzer's input.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_BYTE_SOURCE_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_BYTE_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokenusage {
namespace testing {

// Takes values from the start of `bytes`, which must outlive it. After the last
// byte, reads zeros.
class ByteSource {
 public:
  explicit ByteSource(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  // Returns a number from 0 to `bound` - 1; `bound` is at most 256.
  int Below(int bound) { return Byte() % bound; }

  // Reads a little-endian integer of `size` bytes, at most 8.
  std::uint64_t Integer(int size) {
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) {
      value |= static_cast<std::uint64_t>(Byte()) << (8 * i);
    }
    return value;
  }

  // Reads `size` bytes, or all if fewer are left.
  std::string Text(std::size_t size) {
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(std::min(size, bytes_.size()));
    return text;
  }

 private:
  std::string_view bytes_;
};

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_BYTE_SOURCE_H_
