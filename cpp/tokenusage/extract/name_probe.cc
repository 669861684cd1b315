// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/name_probe.h"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage::extract_internal {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// Returns whether the text after a name says that its member is null.
bool IsNull(std::string_view rest) {
  if (rest.substr(0, 5) == ":null") return true;  // the usual spelling
  rest = FromAbsl(absl::StripLeadingAsciiWhitespace(ToAbsl(rest)));
  if (rest.empty() || rest.front() != ':') return false;
  rest = FromAbsl(absl::StripLeadingAsciiWhitespace(ToAbsl(rest.substr(1))));
  return rest.substr(0, 4) == "null";
}

#if defined(__SSE2__)

// Tells whether the second byte of `part` and the last but one are at a
// position: the outer ones are quotes, which are everywhere.
class PartFilter {
 public:
  static constexpr std::size_t kBlock = 64;

  explicit PartFilter(std::string_view part)
      : distance_(part.size() - 2),
        second_(_mm_set1_epi8(part[1])),
        last_(_mm_set1_epi8(part[distance_])) {}

  // Returns a bit for each position in the block: 0 if the part does not start
  // there.
  std::uint64_t PlacesIn(const char* block) const {
    const __m128i a = Both(block), b = Both(block + 16);
    const __m128i c = Both(block + 32), d = Both(block + 48);
    const __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    if (_mm_movemask_epi8(any) == 0) return 0;
    return Bits(a) | Bits(b) << 16 | Bits(c) << 32 | Bits(d) << 48;
  }

 private:
  __m128i Both(const char* p) const {
    return _mm_and_si128(_mm_cmpeq_epi8(Load(p + 1), second_),
                         _mm_cmpeq_epi8(Load(p + distance_), last_));
  }
  static std::uint64_t Bits(__m128i bytes) {
    return static_cast<std::uint64_t>(_mm_movemask_epi8(bytes));
  }
  static __m128i Load(const char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }

  const std::size_t distance_;
  const __m128i second_, last_;
};

#endif  // defined(__SSE2__)

}  // namespace

std::size_t FindPart(std::string_view text, std::string_view part) {
  std::size_t at = 0;
#if defined(__SSE2__)
  const PartFilter filter(part);
  const std::size_t window = PartFilter::kBlock + part.size() - 1;
  for (; text.size() - at >= window; at += PartFilter::kBlock) {
    std::uint64_t places = filter.PlacesIn(text.data() + at);
    for (; places != 0; places &= places - 1) {
      const std::size_t place =
          at + static_cast<std::size_t>(__builtin_ctzll(places));
      if (text.compare(place, part.size(), part) == 0) return place;
    }
  }
#endif
  const void* const found =
      memmem(text.data() + at, text.size() - at, part.data(), part.size());
  return found == nullptr ? kNone
                          : static_cast<std::size_t>(
                                static_cast<const char*>(found) - text.data());
}

// No shorter escape stands for a letter.
std::size_t FindEscapedLetter(std::string_view json) {
  constexpr std::string_view kEscape = "\\u00";
  constexpr std::string_view kSigns = "-._";
  std::size_t at = 0;
  while (true) {
    const std::size_t found = FindPart(json.substr(at), kEscape);
    if (found == kNone) return kNone;
    at += found;
    unsigned int code = 0;
    const std::string_view digits = json.substr(at + kEscape.size(), 2);
    static_cast<void>(absl::SimpleHexAtoi(ToAbsl(digits), &code));
    const auto letter = static_cast<unsigned char>(code);
    if (absl::ascii_isalnum(letter) ||
        kSigns.find(static_cast<char>(letter)) != kNone) {
      return at;
    }
    at += kEscape.size();
  }
}

NameProbe::NameProbe(std::string_view name)
    : quoted_('"' + std::string(name) + '"') {}

std::size_t NameProbe::Find(std::string_view json, bool skips_null) const {
  std::size_t at = 0;
  while (true) {
    const std::size_t found = FindPart(json.substr(at), quoted_);
    if (found == kNone) return kNone;
    at += found;
    if (!skips_null || !IsNull(json.substr(at + quoted_.size()))) return at;
    at += quoted_.size();
  }
}

bool NameProbe::MayBeIn(std::string_view json, bool skips_null) const {
  return Find(json, skips_null) != kNone || FindEscapedLetter(json) != kNone;
}

}  // namespace tokenusage::extract_internal
