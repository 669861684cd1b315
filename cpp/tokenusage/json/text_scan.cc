#include "tokenusage/json/text_scan.h"

#include <cstdint>
#include <cstring>

#include "tokenusage/json/path_choice.h"

namespace tokenusage {
namespace json_internal {
namespace {

// Vectors as GCC and Clang know them on every machine, and in narrower parts
// where the machine has none so wide.
typedef signed char Bytes16 __attribute__((vector_size(16)));
typedef signed char Bytes32 __attribute__((vector_size(32)));

constexpr std::ptrdiff_t kStep = 128;

// Whether one of kStep bytes is not plain. Inlined, so that it is compiled for
// the machine that its caller is for.
template <typename Bytes>
__attribute__((always_inline)) inline bool HoldsOther(const char* p) {
  Bytes found = {};
  for (std::size_t i = 0; i < kStep; i += sizeof(Bytes)) {
    Bytes text;
    std::memcpy(&text, p + i, sizeof(text));
    // Bytes beyond ASCII are negative.
    found |= (text < 0x20) | (text == '"') | (text == '\\');
  }
  std::uint64_t words[sizeof(Bytes) / 8];
  std::memcpy(words, &found, sizeof(found));
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  return any != 0;
}

template <typename Bytes>
__attribute__((always_inline)) inline const char* FindEnd(const char* p,
                                                          const char* end) {
  while (end - p >= kStep && !HoldsOther<Bytes>(p)) p += kStep;
  while (p < end && IsPlain(*p)) ++p;
  return p;
}

}  // namespace

const char* PlainTextEndPortable(const char* p, const char* end) {
  return FindEnd<Bytes16>(p, end);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) const char* PlainTextEndAvx2(const char* p,
                                                             const char* end) {
  return FindEnd<Bytes32>(p, end);
}

const char* PlainTextEnd(const char* p, const char* end) {
  return MayUseAvx2() ? PlainTextEndAvx2(p, end) : PlainTextEndPortable(p, end);
}
#else
const char* PlainTextEnd(const char* p, const char* end) {
  return PlainTextEndPortable(p, end);
}
#endif

}  // namespace json_internal
}  // namespace tokenusage
