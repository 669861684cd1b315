// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/reader.h"

#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace json_internal {

template <bool kExplain>
Reader<kExplain>::Reader(std::string_view json, bool strict,
                         Violation* violation)
    : begin_(json.data()),
      end_(begin_ + json.size()),
      strict_(strict),
      violation_(violation) {
  if (end_ - begin_ < kWindow) {
    begin_ = MoveToWindow(begin_);
  } else if constexpr (kExplain) {
    copy_.reserve(json.size() + kPadding);
    copy_.append(json).append(kPadding, '\0');
    begin_ = copy_.data();
    end_ = begin_ + json.size();
    last_ready_ = end_;
  } else {
    last_ready_ = end_ - kWindow;
  }
}

template <bool kExplain>
const char* Reader<kExplain>::MoveToWindow(const char* p) {
  const auto size = static_cast<std::size_t>(end_ - p);
  if (size > 0) std::memcpy(window_, p, size);
  std::memset(window_ + size, 0, kPadding);
  end_ = window_ + size;
  last_ready_ = end_;
  return window_;
}

template <bool kExplain>
const char* Reader<kExplain>::SkipSpaces(const char* p) {
  while (true) {
    if (*p == '\n') ++p;  // indentation is likely to follow
    const std::uint64_t others = LoadWord(p) ^ kSpaces;
    p += others == 0 ? 8 : __builtin_ctzll(others) / 8;
    if (static_cast<unsigned char>(*p) > ' ') return Ready(p);
    if (*p == '\r' || *p == '\t') {
      ++p;
    } else if (*p != ' ' && *p != '\n') {
      return Ready(p);
    }
    p = Ready(p);
  }
}

// ----------------------------------------------------------------- violations

template <bool kExplain>
const char* Reader<kExplain>::FailSyntax(const char* p,
                                         std::string_view expected) {
  if constexpr (kExplain) {
    const std::string_view rest(p, static_cast<std::size_t>(end_ - p));
    if (rest.empty()) {
      return Fail(Kind::kSyntax, p, expected, "the document's end");
    }
    if (rest.substr(0, 3) == "\xEF\xBB\xBF") {
      return Fail(Kind::kSyntax, p, expected, "a byte order mark");
    }
    const std::size_t length = Utf8CharLength(rest);
    if (length == 0) {
      return Fail(Kind::kSyntax, p, expected, "byte", Input::kPlain,
                  rest.substr(0, 1));
    }
    const bool control = static_cast<unsigned char>(rest[0]) < 0x20;
    return Fail(
        Kind::kSyntax, p, expected, control ? "control character" : "character",
        control ? Input::kPlain : Input::kQuoted, rest.substr(0, length));
  }
  return nullptr;
}

template <bool kExplain>
const char* Reader<kExplain>::FailType(const char* p,
                                       std::string_view expected) {
  if constexpr (!kExplain) return nullptr;
  Text text;
  switch (*p) {
    case '{':
      return Fail(Kind::kWrongType, p, expected, "an object");
    case '[':
      return Fail(Kind::kWrongType, p, expected, "an array");
    case '"':
      if (ReadString(p, &text) == nullptr) return nullptr;
      return Fail(Kind::kWrongType, p, expected, "string", Input::kQuoted,
                  text.view);
    case 't':
    case 'f':
    case 'n': {
      const std::string_view literal = *p == 't'   ? "true"
                                       : *p == 'f' ? "false"
                                                   : "null";
      if (ReadLiteral(p, literal) == nullptr) return nullptr;
      return Fail(Kind::kWrongType, p, expected, literal);
    }
    default:
      if (*p != '-' && (*p < '0' || *p > '9')) return FailSyntax(p, expected);
      if (ReadNumber(p, &text.view) == nullptr) return nullptr;
      return Fail(Kind::kWrongType, p, expected, "number", Input::kPlain,
                  text.view);
  }
}

// -------------------------------------------------------------------- grammar

// Checks the string at the quote `p`.
template <bool kExplain>
TOKENUSAGE_INLINE const char* Reader<kExplain>::SkipString(const char* p) {
  const char* const quote = FindShortStringEnd(p + 1);
  return quote != nullptr ? Ready(quote + 1) : SkipLongString(p);
}

template <bool kExplain>
const char* Reader<kExplain>::SkipLongString(const char* p) {
  bool escaped = false;
  const char* const quote = FindStringEnd(p + 1, end_, &escaped);
  return quote != nullptr ? Ready(quote + 1) : FailString(p);
}

template <bool kExplain>
const char* Reader<kExplain>::FailString(const char* p) {
  if constexpr (kExplain) {
    TextError error;
    ScanString(p + 1, end_, nullptr, &error);
    if (!error.is_lone_surrogate) return FailSyntax(error.at, error.expected);
    Fail(Kind::kSyntax, error.at, error.expected, "a surrogate on its own",
         Input::kPlain, {error.at, 6});
  }
  return nullptr;
}

template <bool kExplain>
const char* Reader<kExplain>::ReadLongString(const char* p, Text* text) {
  bool escaped = false;
  const char* const quote = FindStringEnd(p + 1, end_, &escaped);
  if (quote == nullptr) return FailString(p);
  text->in_document = !escaped;
  if (escaped) {
    text->unescaped.clear();
    ScanString(p + 1, end_, &text->unescaped, nullptr);
    text->view = text->unescaped;
  } else {
    text->view = {p + 1, static_cast<std::size_t>(quote - p - 1)};
  }
  return Ready(quote + 1);
}

// Reads the name at the quote `p`, the colon, and the space around it.
template <bool kExplain>
const char* Reader<kExplain>::ReadName(const char* p, Text* name) {
  p = ReadString(p, name);
  return p == nullptr ? nullptr : ReadColon(p);
}

template <bool kExplain>
const char* Reader<kExplain>::ReadLiteral(const char* p,
                                          std::string_view literal) {
  for (const char c : literal) {
    if (*p != c) return FailSyntax(p, literal);
    ++p;
  }
  return p;
}

// Reads the number whose sign or first digit is at `p`.
template <bool kExplain>
const char* Reader<kExplain>::ReadNumber(const char* p,
                                         std::string_view* number) {
  *number = {p, static_cast<std::size_t>(end_ - p)};
  const NumberSpan span = ScanNumber(*number);
  *number = number->substr(0, span.length);
  p += span.length;
  return span.valid ? Ready(p) : FailSyntax(p, "a digit");
}

template <bool kExplain>
const char* Reader<kExplain>::SkipValue(const char* p) {
  switch (*p) {
    case '{':
      return SkipObject(p);
    case '[':
      return SkipArray(p);
    case '"':
      return SkipString(p);
    case 't':
      return ReadLiteral(p, "true");
    case 'f':
      return ReadLiteral(p, "false");
    case 'n':
      return ReadLiteral(p, "null");
    default: {
      std::uint32_t value;
      std::string_view number;
      const char* const after = TakeShortInteger(p, &value);
      if (after != nullptr) return after;
      if (*p != '-' && (*p < '0' || *p > '9')) return FailSyntax(p, "a value");
      return ReadNumber(p, &number);
    }
  }
}

template <bool kExplain>
const char* Reader<kExplain>::SkipObject(const char* p) {
  p = Enter(p, '{', "an object");
  if (p == nullptr) return nullptr;
  p = FirstName(p);
  while (p != nullptr && *p != '}') {
    p = SkipString(p);
    if (p != nullptr) p = ReadColon(p);
    if (p != nullptr) p = SkipValue(p);
    if (p != nullptr) p = NextName(p);
  }
  if (p == nullptr) return nullptr;
  --depth_;
  return p + 1;
}

template <bool kExplain>
const char* Reader<kExplain>::SkipArray(const char* p) {
  p = Enter(p, '[', "an array");
  if (p == nullptr) return nullptr;
  bool first = true;
  while (*p != ']') {
    if (!first) p = SkipSpace(p + 1);
    first = false;
    p = SkipValue(Ready(p));
    if (p != nullptr) p = AfterElement(p);
    if (p == nullptr) return nullptr;
  }
  --depth_;
  return p + 1;
}

// Skips the value at `p` of a member that the message does not declare.
template <bool kExplain>
const char* Reader<kExplain>::SkipUnknown(const char* name, const Text& text,
                                          const char* p, NameSet* names) {
  if (!names->Insert(text.view, text.in_document)) {
    return FailTwice(name, text.view);
  }
  if (strict_) {
    return Fail(Kind::kUnknownField, name,
                "only members that the message declares", "name",
                Input::kQuoted, text.view);
  }
  return SkipValue(p);
}

// --------------------------------------------------------------------- values

// Reads a number, or a string that holds exactly one.
template <bool kExplain>
template <typename Number>
const char* Reader<kExplain>::ReadAnyNumber(const char* p, FieldKind kind,
                                            Number* value) {
  Text text;
  const char* after;
  const bool is_string = *p == '"';
  const Input input_kind = is_string ? Input::kQuoted : Input::kPlain;
  const char* const found = is_string ? "string" : "number";
  if (is_string) {
    after = ReadString(p, &text);
    if (after == nullptr) return nullptr;
    if (!IsNumber(text.view)) {
      return Fail(Kind::kWrongType, p, ExpectedOf(kind), found, input_kind,
                  text.view);
    }
  } else {
    if (*p != '-' && (*p < '0' || *p > '9')) {
      return FailType(p, ExpectedOf(kind));
    }
    if constexpr (std::is_same_v<Number, double>) {
      after = TakeLongDouble(p, end_, value);
      if (after != nullptr) return Ready(after);
    }
    after = ReadNumber(p, &text.view);
    if (after == nullptr) return nullptr;
  }
  if (ParseNumber(text.view, value)) return after;
  const std::string_view expected =
      kind == FieldKind::kDouble  ? "a number within double's range"
      : kind == FieldKind::kFloat ? "a number within float's range"
                                  : ExpectedOf(kind);
  return Fail(Kind::kOutOfRange, p, expected, found, input_kind, text.view);
}

template <bool kExplain>
const char* Reader<kExplain>::ReadBool(const char* p, bool* value) {
  *value = *p == 't';
  if (*p != 't' && *p != 'f') {
    return FailType(p, ExpectedOf(FieldKind::kBool));
  }
  return ReadLiteral(p, *value ? "true" : "false");
}

template class Reader<false>;
template class Reader<true>;

#define TOKENUSAGE_READ_ANY_NUMBER(Number)                                  \
  template const char* Reader<false>::ReadAnyNumber(const char*, FieldKind, \
                                                    Number*);               \
  template const char* Reader<true>::ReadAnyNumber(const char*, FieldKind,  \
                                                   Number*)
TOKENUSAGE_READ_ANY_NUMBER(double);
TOKENUSAGE_READ_ANY_NUMBER(float);
TOKENUSAGE_READ_ANY_NUMBER(std::int32_t);
TOKENUSAGE_READ_ANY_NUMBER(std::int64_t);
TOKENUSAGE_READ_ANY_NUMBER(std::uint32_t);
TOKENUSAGE_READ_ANY_NUMBER(std::uint64_t);
#undef TOKENUSAGE_READ_ANY_NUMBER

}  // namespace json_internal
}  // namespace tokenusage
