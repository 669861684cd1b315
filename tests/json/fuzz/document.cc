// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/document.h"

#include <cstdint>
#include <utility>

namespace tokenusage {
namespace testing {
namespace {

using Type = DocumentValue::Type;

constexpr int kMaxDepth = 100;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendCodePoint(std::uint32_t code, std::string* out) {
  const auto put = [out](std::uint32_t byte) {
    out->push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// Reads one document. Each of the private functions reads one production of RFC
// 8259 at `at_`, or sets the syntax error and returns false. After the syntax
// error, nothing more is read.
class Reader {
 public:
  explicit Reader(std::string_view json) : json_(json) {}

  Document Read() {
    Document document;
    SkipSpace();
    if (ReadValue(0, &document.root)) {
      SkipSpace();
      if (at_ != json_.size()) Fail(at_);
    }
    document.syntax_error = syntax_error_;
    return document;
  }

 private:
  bool Fail(std::size_t offset,
            JsonError::Kind kind = JsonError::Kind::kSyntax) {
    syntax_error_ = SyntaxError{kind, offset};
    return false;
  }

  bool Next(char c) const { return at_ < json_.size() && json_[at_] == c; }

  void SkipSpace() {
    while (Next(' ') || Next('\t') || Next('\n') || Next('\r')) ++at_;
  }

  bool Expect(char c) {
    if (!Next(c)) return Fail(at_);
    ++at_;
    return true;
  }

  bool ReadValue(int depth, std::optional<DocumentValue>* out);
  bool ReadRest(int depth, DocumentValue* value);
  bool ReadLiteral(std::string_view literal);
  bool ReadDigits();
  bool ReadNumber(std::string* text);
  bool ReadString(std::string* text);
  bool ReadEscape(std::string* text);
  bool ReadHex(std::uint32_t* code);
  bool ReadUnicodeEscape(std::string* text);
  bool ReadUtf8(std::string* text);
  bool ReadArray(int depth, DocumentValue* value);
  bool ReadObject(int depth, DocumentValue* value);
  bool ReadMember(int depth, std::vector<DocumentMember>* members);

  const std::string_view json_;
  std::size_t at_ = 0;
  std::optional<SyntaxError> syntax_error_;
};

bool Reader::ReadValue(int depth, std::optional<DocumentValue>* out) {
  DocumentValue value;
  value.begin = at_;
  const char first = at_ < json_.size() ? json_[at_] : '\0';
  if (first == 'n') {
    value.type = Type::kNull;
  } else if (first == 't') {
    value.type = Type::kTrue;
  } else if (first == 'f') {
    value.type = Type::kFalse;
  } else if (first == '"') {
    value.type = Type::kString;
  } else if (first == '[') {
    value.type = Type::kArray;
  } else if (first == '{') {
    value.type = Type::kObject;
  } else if (first == '-' || IsDigit(first)) {
    value.type = Type::kNumber;
  } else {
    return Fail(at_);
  }
  value.complete = ReadRest(depth, &value);
  value.end = at_;
  *out = std::move(value);
  return (*out)->complete;
}

bool Reader::ReadRest(int depth, DocumentValue* value) {
  switch (value->type) {
    case Type::kNull:
      return ReadLiteral("null");
    case Type::kTrue:
      return ReadLiteral("true");
    case Type::kFalse:
      return ReadLiteral("false");
    case Type::kNumber:
      return ReadNumber(&value->text);
    case Type::kString:
      return ReadString(&value->text);
    case Type::kArray:
      return ReadArray(depth + 1, value);
    case Type::kObject:
      return ReadObject(depth + 1, value);
  }
  return false;
}

bool Reader::ReadLiteral(std::string_view literal) {
  for (const char c : literal) {
    if (!Expect(c)) return false;
  }
  return true;
}

bool Reader::ReadDigits() {
  if (at_ == json_.size() || !IsDigit(json_[at_])) return Fail(at_);
  while (at_ < json_.size() && IsDigit(json_[at_])) ++at_;
  return true;
}

bool Reader::ReadNumber(std::string* text) {
  const std::size_t begin = at_;
  if (Next('-')) ++at_;
  if (Next('0')) {
    ++at_;
  } else if (!ReadDigits()) {
    return false;
  }
  if (Next('.')) {
    ++at_;
    if (!ReadDigits()) return false;
  }
  if (Next('e') || Next('E')) {
    ++at_;
    if (Next('+') || Next('-')) ++at_;
    if (!ReadDigits()) return false;
  }
  *text = std::string(json_.substr(begin, at_ - begin));
  return true;
}

bool Reader::ReadString(std::string* text) {
  if (!Expect('"')) return false;
  while (!Next('"')) {
    if (at_ == json_.size()) return Fail(at_);
    const auto byte = static_cast<unsigned char>(json_[at_]);
    if (byte < 0x20) return Fail(at_);
    const bool good = byte == '\\' ? ReadEscape(text) : ReadUtf8(text);
    if (!good) return false;
  }
  return Expect('"');
}

bool Reader::ReadEscape(std::string* text) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (at_ + 1 == json_.size()) return Fail(json_.size());
  const char letter = json_[at_ + 1];
  if (letter == 'u') return ReadUnicodeEscape(text);
  const std::size_t index = kLetters.find(letter);
  if (index == std::string_view::npos) return Fail(at_ + 1);
  text->push_back(kMeanings[index]);
  at_ += 2;
  return true;
}

// Reads \uXXXX.
bool Reader::ReadHex(std::uint32_t* code) {
  *code = 0;
  at_ += 2;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < json_.size() ? HexValue(json_[at_]) : -1;
    if (digit < 0) return Fail(at_);
    *code = *code * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

bool Reader::ReadUnicodeEscape(std::string* text) {
  const std::size_t begin = at_;
  std::uint32_t code = 0;
  if (!ReadHex(&code)) return false;
  if (code >= 0xDC00 && code <= 0xDFFF) return Fail(begin);
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (json_.substr(at_, 2) != "\\u") return Fail(begin);
    std::uint32_t low = 0;
    if (!ReadHex(&low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return Fail(begin);
    code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
  }
  AppendCodePoint(code, text);
  return true;
}

// Reads one character by the table of well-formed UTF-8 in the Unicode
// standard. The position of a syntax error is the character's first byte.
bool Reader::ReadUtf8(std::string* text) {
  const auto byte = [this](std::size_t i) -> unsigned int {
    return at_ + i < json_.size() ? static_cast<unsigned char>(json_[at_ + i])
                                  : 0;
  };
  const auto in = [&byte](std::size_t i, unsigned int low, unsigned int high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&in](std::size_t i) { return in(i, 0x80, 0xBF); };
  std::size_t length = 0;
  if (in(0, 0x00, 0x7F)) {
    length = 1;
  } else if (in(0, 0xC2, 0xDF) && tail(1)) {
    length = 2;
  } else if ((in(0, 0xE0, 0xE0) && in(1, 0xA0, 0xBF) && tail(2)) ||
             (in(0, 0xE1, 0xEC) && tail(1) && tail(2)) ||
             (in(0, 0xED, 0xED) && in(1, 0x80, 0x9F) && tail(2)) ||
             (in(0, 0xEE, 0xEF) && tail(1) && tail(2))) {
    length = 3;
  } else if ((in(0, 0xF0, 0xF0) && in(1, 0x90, 0xBF) && tail(2) && tail(3)) ||
             (in(0, 0xF1, 0xF3) && tail(1) && tail(2) && tail(3)) ||
             (in(0, 0xF4, 0xF4) && in(1, 0x80, 0x8F) && tail(2) && tail(3))) {
    length = 4;
  } else {
    return Fail(at_);
  }
  text->append(json_.substr(at_, length));
  at_ += length;
  return true;
}

bool Reader::ReadArray(int depth, DocumentValue* value) {
  if (depth > kMaxDepth) return Fail(at_, JsonError::Kind::kTooDeep);
  ++at_;
  SkipSpace();
  if (Next(']')) return Expect(']');
  while (true) {
    SkipSpace();
    std::optional<DocumentValue> element;
    const bool good = ReadValue(depth, &element);
    if (element.has_value()) value->elements.push_back(std::move(*element));
    if (!good) return false;
    SkipSpace();
    if (!Next(',')) return Expect(']');
    ++at_;
  }
}

bool Reader::ReadObject(int depth, DocumentValue* value) {
  if (depth > kMaxDepth) return Fail(at_, JsonError::Kind::kTooDeep);
  ++at_;
  SkipSpace();
  if (Next('}')) return Expect('}');
  while (true) {
    SkipSpace();
    if (!ReadMember(depth, &value->members)) return false;
    SkipSpace();
    if (!Next(',')) return Expect('}');
    ++at_;
  }
}

bool Reader::ReadMember(int depth, std::vector<DocumentMember>* members) {
  DocumentMember member;
  member.name_begin = at_;
  if (!ReadString(&member.name)) return false;
  members->push_back(std::move(member));
  SkipSpace();
  if (!Expect(':')) return false;
  members->back().has_colon = true;
  SkipSpace();
  return ReadValue(depth, &members->back().value);
}

}  // namespace

Document ReadDocument(std::string_view json) { return Reader(json).Read(); }

bool IsJsonNumber(std::string_view text) {
  const Document document = ReadDocument(text);
  return !document.syntax_error.has_value() &&
         document.root->type == DocumentValue::Type::kNumber &&
         document.root->text == text;
}

}  // namespace testing
}  // namespace tokenusage
