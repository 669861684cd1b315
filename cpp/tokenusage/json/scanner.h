// JSON's grammar (RFC 8259, and nothing more) over a document in memory.
//
//   Scanner scanner(json);
//   if (!scanner.EnterObject("an object")) return scanner.fault();
//   Scanner::Member member;
//   while (scanner.NextMember(&member) && !member.end) { ... }
//
// Every function that returns bool returns false on the first error and
// describes it in fault(); the scanner is of no use afterwards.

#ifndef TOKENUSAGE_JSON_SCANNER_H_
#define TOKENUSAGE_JSON_SCANNER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "tokenusage/json/fault.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace json_internal {

// The deepest nesting of objects and arrays that is read or written.
inline constexpr int kMaxDepth = 100;

enum class ValueType {
  kObject,
  kArray,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kNull
};

class Scanner {
 public:
  // The next member of an object, or its end.
  struct Member {
    bool first = true;
    bool end = false;
    std::string_view name;  // unescaped; valid until the next member
    std::size_t name_offset = 0;
    bool name_in_document = true;  // so `name` lives as long as the document
    std::string scratch;
  };

  // `text` must outlive the scanner, which starts at `position`.
  explicit Scanner(std::string_view text, std::size_t position = 0)
      : text_(text), position_(position) {}

  std::size_t position() const { return position_; }
  const Fault& fault() const { return fault_; }
  Fault* mutable_fault() { return &fault_; }

  // Always false.
  bool Fail(JsonError::Kind kind, std::size_t offset, std::string_view expected,
            std::string_view found);
  bool Fail(JsonError::Kind kind, std::size_t offset, std::string_view expected,
            std::string_view found, Fault::Input input_kind,
            std::string_view input);

  // The type of the value that starts after white space, by its first
  // character. `expected` is what the error names where no value starts there.
  bool PeekType(std::string_view expected, ValueType* type);

  // Fails with kWrongType unless the next value is of `type`. Where it is a
  // string, number or literal, errors within it come first.
  bool ExpectType(ValueType type, std::string_view expected);

  // For a value that PeekType found to be of that type.
  bool ReadString(std::string* scratch, std::string_view* value);
  bool ReadNumber(std::string_view* number);
  bool ReadLiteral(std::string_view literal);

  // Enters the object that starts here, then gives its members one by one. The
  // caller reads or skips each one's value.
  bool EnterObject(std::string_view expected);
  bool NextMember(Member* member);

  // The same for an array; `*end` starts as false.
  bool EnterArray(std::string_view expected);
  bool NextElement(bool first, bool* end);

  // Checks a value of any type.
  bool SkipValue();

  // Checks that only white space is left.
  bool ExpectEnd();

 private:
  bool AtEnd() const { return position_ == text_.size(); }
  void SkipSpace();
  bool FailSyntax(std::size_t offset, std::string_view expected);
  bool FailWrongType(ValueType found, std::string_view expected);
  bool Consume(char c, std::string_view expected);
  bool NextItem(bool first, char close, std::string_view separator_or_close,
                bool* end);
  bool Enter(ValueType type, std::string_view expected);
  bool ReadName(Member* member);
  // A string's text is appended to `unescaped` once it holds an escape.
  bool ScanString(std::string* unescaped, bool* escaped);
  bool ScanEscape(std::string* unescaped);
  bool ScanUnicodeEscape(std::string* unescaped);
  bool ScanHex(unsigned int* code);
  bool SkipObject();
  bool SkipArray();

  std::string_view text_;
  std::size_t position_;
  int depth_ = 0;
  Fault fault_;
};

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_SCANNER_H_
