#include "tokenusage/json/scanner.h"

#include <algorithm>
#include <cstddef>

#include "tokenusage/base/utf8.h"
#include "tokenusage/json/number.h"
#include "tokenusage/json/text_scan.h"

namespace tokenusage {
namespace json_internal {
namespace {

// Enough of a value for any excerpt.
constexpr std::size_t kKeptInputBytes = 256;

std::string_view LiteralOf(ValueType type) {
  switch (type) {
    case ValueType::kTrue:
      return "true";
    case ValueType::kFalse:
      return "false";
    default:
      return "null";
  }
}

// `code` is a Unicode scalar value.
void AppendUtf8(unsigned int code, std::string* out) {
  const auto push = [out](unsigned int byte) {
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

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The character behind a two-character escape; 0 for none.
char SimpleEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

bool Scanner::Fail(JsonError::Kind kind, std::size_t offset,
                   std::string_view expected, std::string_view found) {
  return Fail(kind, offset, expected, found, Fault::Input::kNone, "");
}

bool Scanner::Fail(JsonError::Kind kind, std::size_t offset,
                   std::string_view expected, std::string_view found,
                   Fault::Input input_kind, std::string_view input) {
  fault_.kind = kind;
  fault_.offset = offset;
  fault_.expected = expected;
  fault_.found = found;
  fault_.input_kind = input_kind;
  fault_.input = input.substr(0, kKeptInputBytes);
  return false;
}

bool Scanner::FailSyntax(std::size_t offset, std::string_view expected) {
  constexpr auto kSyntax = JsonError::Kind::kSyntax;
  const std::string_view rest = text_.substr(offset);
  if (rest.empty()) {
    return Fail(kSyntax, offset, expected, "the document's end");
  }
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") {
    return Fail(kSyntax, offset, expected, "a byte order mark");
  }
  const std::size_t length = Utf8CharLength(rest);
  if (length == 0) {
    return Fail(kSyntax, offset, expected, "byte", Fault::Input::kPlain,
                rest.substr(0, 1));
  }
  const bool control = static_cast<unsigned char>(rest[0]) < 0x20;
  return Fail(kSyntax, offset, expected,
              control ? "control character" : "character",
              control ? Fault::Input::kPlain : Fault::Input::kQuoted,
              rest.substr(0, length));
}

bool Scanner::FailWrongType(ValueType found, std::string_view expected) {
  constexpr auto kWrongType = JsonError::Kind::kWrongType;
  const std::size_t start = position_;
  std::string scratch;
  std::string_view value;
  switch (found) {
    case ValueType::kObject:
      return Fail(kWrongType, start, expected, "an object");
    case ValueType::kArray:
      return Fail(kWrongType, start, expected, "an array");
    case ValueType::kString:
      if (!ReadString(&scratch, &value)) return false;
      return Fail(kWrongType, start, expected, "string", Fault::Input::kQuoted,
                  value);
    case ValueType::kNumber:
      if (!ReadNumber(&value)) return false;
      return Fail(kWrongType, start, expected, "number", Fault::Input::kPlain,
                  value);
    case ValueType::kTrue:
    case ValueType::kFalse:
    case ValueType::kNull:
      value = LiteralOf(found);
      if (!ReadLiteral(value)) return false;
      return Fail(kWrongType, start, expected, value);
  }
  return false;
}

void Scanner::SkipSpace() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++position_;
  }
}

bool Scanner::Consume(char c, std::string_view expected) {
  if (AtEnd() || text_[position_] != c) return FailSyntax(position_, expected);
  ++position_;
  return true;
}

bool Scanner::PeekType(std::string_view expected, ValueType* type) {
  SkipSpace();
  switch (AtEnd() ? '\0' : text_[position_]) {
    case '{':
      *type = ValueType::kObject;
      return true;
    case '[':
      *type = ValueType::kArray;
      return true;
    case '"':
      *type = ValueType::kString;
      return true;
    case 't':
      *type = ValueType::kTrue;
      return true;
    case 'f':
      *type = ValueType::kFalse;
      return true;
    case 'n':
      *type = ValueType::kNull;
      return true;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      *type = ValueType::kNumber;
      return true;
    default:
      return FailSyntax(position_, expected);
  }
}

bool Scanner::ExpectType(ValueType type, std::string_view expected) {
  ValueType found = ValueType::kNull;
  if (!PeekType(expected, &found)) return false;
  return found == type || FailWrongType(found, expected);
}

bool Scanner::ReadString(std::string* scratch, std::string_view* value) {
  const std::size_t start = position_ + 1;
  bool escaped = false;
  scratch->clear();
  if (!ScanString(scratch, &escaped)) return false;
  *value = escaped ? std::string_view(*scratch)
                   : text_.substr(start, position_ - 1 - start);
  return true;
}

bool Scanner::ScanString(std::string* unescaped, bool* escaped) {
  std::size_t run = ++position_;  // where the text since the last escape starts
  while (true) {
    position_ = static_cast<std::size_t>(
        ShortPlainTextEnd(text_.data() + position_,
                          text_.data() + text_.size()) -
        text_.data());
    if (AtEnd()) return FailSyntax(position_, "the string's closing quote");
    const auto c = static_cast<unsigned char>(text_[position_]);
    if (c == '"' || c == '\\') {
      if (*escaped || c == '\\') {
        unescaped->append(text_.substr(run, position_ - run));
      }
      if (c == '"') break;
      *escaped = true;
      if (!ScanEscape(unescaped)) return false;
      run = position_;
    } else if (c < 0x20) {
      return FailSyntax(position_, "control characters in strings escaped");
    } else {
      const std::size_t length = Utf8CharLength(text_.substr(position_));
      if (length == 0) return FailSyntax(position_, "UTF-8");
      position_ += length;
    }
  }
  ++position_;
  return true;
}

bool Scanner::ScanEscape(std::string* unescaped) {
  if (position_ + 1 == text_.size()) {
    return FailSyntax(text_.size(), "the rest of the escape");
  }
  const char c = text_[position_ + 1];
  if (c == 'u') return ScanUnicodeEscape(unescaped);
  const char simple = SimpleEscape(c);
  if (simple == 0) {
    return FailSyntax(position_ + 1, "one of \"\\/bfnrtu after a backslash");
  }
  unescaped->push_back(simple);
  position_ += 2;
  return true;
}

bool Scanner::ScanHex(unsigned int* code) {
  *code = 0;
  for (std::size_t i = 2; i < 6; ++i) {
    const std::size_t at = std::min(position_ + i, text_.size());
    const int digit = at < text_.size() ? HexDigit(text_[at]) : -1;
    if (digit < 0) return FailSyntax(at, "four hexadecimal digits");
    *code = *code * 16 + static_cast<unsigned int>(digit);
  }
  position_ += 6;
  return true;
}

bool Scanner::ScanUnicodeEscape(std::string* unescaped) {
  const std::size_t start = position_;
  unsigned int code = 0;
  if (!ScanHex(&code)) return false;
  if (code >= 0xD800 && code <= 0xDFFF) {
    unsigned int low = 0;
    const bool followed = code <= 0xDBFF && text_.substr(position_, 2) == "\\u";
    if (followed && !ScanHex(&low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) {
      return Fail(JsonError::Kind::kSyntax, start, "a surrogate pair",
                  "a surrogate on its own", Fault::Input::kPlain,
                  text_.substr(start, 6));
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  AppendUtf8(code, unescaped);
  return true;
}

bool Scanner::ReadNumber(std::string_view* number) {
  const NumberSpan span = ScanNumber(text_.substr(position_));
  if (!span.valid) return FailSyntax(position_ + span.length, "a digit");
  *number = text_.substr(position_, span.length);
  position_ += span.length;
  return true;
}

bool Scanner::ReadLiteral(std::string_view literal) {
  for (const char c : literal) {
    if (!Consume(c, literal)) return false;
  }
  return true;
}

bool Scanner::Enter(ValueType type, std::string_view expected) {
  if (!ExpectType(type, expected)) return false;
  if (depth_ == kMaxDepth) {
    return Fail(JsonError::Kind::kTooDeep, position_,
                "at most 100 levels of nesting", "one more");
  }
  ++depth_;
  ++position_;
  return true;
}

bool Scanner::NextItem(bool first, char close,
                       std::string_view separator_or_close, bool* end) {
  SkipSpace();
  *end = !AtEnd() && text_[position_] == close;
  if (*end) {
    ++position_;
    --depth_;
    return true;
  }
  return first || Consume(',', separator_or_close);
}

bool Scanner::EnterObject(std::string_view expected) {
  return Enter(ValueType::kObject, expected);
}

bool Scanner::NextMember(Member* member) {
  const bool first = member->first;
  member->first = false;
  if (!NextItem(first, '}', "\",\" or \"}\"", &member->end)) return false;
  if (member->end) return true;
  SkipSpace();
  member->name_offset = position_;
  if (AtEnd() || text_[position_] != '"') {
    return FailSyntax(position_, first ? "a name in double quotes or \"}\""
                                       : "a name in double quotes");
  }
  return ReadName(member);
}

bool Scanner::ReadName(Member* member) {
  if (!ReadString(&member->scratch, &member->name)) return false;
  member->name_in_document = member->name.data() != member->scratch.data();
  SkipSpace();
  return Consume(':', "\":\"");
}

bool Scanner::EnterArray(std::string_view expected) {
  return Enter(ValueType::kArray, expected);
}

bool Scanner::NextElement(bool first, bool* end) {
  return NextItem(first, ']', "\",\" or \"]\"", end);
}

bool Scanner::SkipObject() {
  if (!EnterObject("an object")) return false;
  Member member;
  while (NextMember(&member)) {
    if (member.end) return true;
    if (!SkipValue()) return false;
  }
  return false;
}

bool Scanner::SkipArray() {
  if (!EnterArray("an array")) return false;
  bool end = false;
  for (bool first = true; NextElement(first, &end); first = false) {
    if (end) return true;
    if (!SkipValue()) return false;
  }
  return false;
}

bool Scanner::SkipValue() {
  ValueType type;
  if (!PeekType("a value", &type)) return false;
  switch (type) {
    case ValueType::kObject:
      return SkipObject();
    case ValueType::kArray:
      return SkipArray();
    case ValueType::kString: {
      std::string scratch;
      std::string_view value;
      return ReadString(&scratch, &value);
    }
    case ValueType::kNumber: {
      std::string_view number;
      return ReadNumber(&number);
    }
    default:
      return ReadLiteral(LiteralOf(type));
  }
}

bool Scanner::ExpectEnd() {
  SkipSpace();
  return AtEnd() || FailSyntax(position_, "the document's end");
}

}  // namespace json_internal
}  // namespace tokenusage
