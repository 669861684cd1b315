// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace tokenusage {
namespace {

constexpr std::array<std::uint32_t, 256> MakeTable() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // lowest bit first
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    }
    table[byte] = sum;
  }
  return table;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t Crc32cByInstruction(
    std::string_view bytes, std::uint32_t previous) {
  std::uint64_t sum = ~previous;
  std::uint64_t word = 0;
  for (; bytes.size() >= sizeof(word); bytes.remove_prefix(sizeof(word))) {
    std::memcpy(&word, bytes.data(), sizeof(word));
    sum = _mm_crc32_u64(sum, word);
  }
  auto short_sum = static_cast<std::uint32_t>(sum);
  for (const char c : bytes) {
    short_sum = _mm_crc32_u8(short_sum, static_cast<unsigned char>(c));
  }
  return ~short_sum;
}
#endif

}  // namespace

std::uint32_t Crc32cByTable(std::string_view bytes, std::uint32_t previous) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeTable();
  std::uint32_t sum = ~previous;
  for (const char c : bytes) {
    sum = (sum >> 8) ^ kTable[(sum ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~sum;
}

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("sse4.2")) {
    return Crc32cByInstruction(bytes, previous);
  }
#endif
  return Crc32cByTable(bytes, previous);
}

}  // namespace tokenusage
