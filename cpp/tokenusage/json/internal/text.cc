// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/text.h"

#include <algorithm>
#include <cstring>

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

// The characters that letters after a backslash stand for; 0 for other letters.
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

// Takes the four digits after \u at `p`.
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

}  // namespace

const char* TakeEscape(const char* p, const char* end, std::uint32_t* code,
                       TextError* error) {
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

const char* FindStringEnd(const char* p, const char* end, bool* escaped) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    return FindStringEndByBlocks(p, end, escaped);
  }
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
