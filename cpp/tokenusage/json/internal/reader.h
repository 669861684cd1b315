// SPDX-License-Identifier: Apache-2.0
//
// Reads a JSON document into a message. All rules of reading are here.
//
//   Reader<false> reader(json, strict, nullptr);
//   if (!reader.ReadDocument(path, GeneratedTable<Usage>(), &usage)) ...
//
// The rules are templates over the way a message's fields are reached. A table
// has the message's fields, in declaration order; a field has its names, its
// kind, and the functions that store a value. For messages with generated code
// (generated_message.h) the compiler knows all of these; for any other message
// (reflection_message.h) they come from the descriptor.
//
// Reader<true> also describes the first violation of the document;
// Reader<false> only stops there.

#ifndef TOKENUSAGE_JSON_INTERNAL_READER_H_
#define TOKENUSAGE_JSON_INTERNAL_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tokenusage/json/internal/digits.h"
#include "tokenusage/json/internal/field_kind.h"
#include "tokenusage/json/internal/name_set.h"
#include "tokenusage/json/internal/number.h"
#include "tokenusage/json/internal/text.h"
#include "tokenusage/json/internal/text_values.h"
#include "tokenusage/json/internal/violation.h"

namespace tokenusage {
namespace json_internal {

// Calls `function` with std::integral_constant of the field's shape.
template <typename Field, typename Function>
inline auto WithShape(const Field& field, Function function) {
  using S = FieldShape;
  if constexpr (Field::kGenerated) {
    return function(std::integral_constant<S, Field::kShape>());
  } else {
    switch (field.shape()) {
      case S::kRepeated:
        return function(std::integral_constant<S, S::kRepeated>());
      case S::kMap:
        return function(std::integral_constant<S, S::kMap>());
      default:
        return function(std::integral_constant<S, S::kSingular>());
    }
  }
}

// Calls `function` with std::integral_constant of the field's kind.
template <typename Field, typename Function>
inline auto WithKind(const Field& field, Function function) {
  using K = FieldKind;
  if constexpr (Field::kGenerated) {
    return function(std::integral_constant<K, Field::kKind>());
  } else {
    switch (field.kind()) {
      case K::kDouble:
        return function(std::integral_constant<K, K::kDouble>());
      case K::kFloat:
        return function(std::integral_constant<K, K::kFloat>());
      case K::kInt32:
        return function(std::integral_constant<K, K::kInt32>());
      case K::kInt64:
        return function(std::integral_constant<K, K::kInt64>());
      case K::kUInt32:
        return function(std::integral_constant<K, K::kUInt32>());
      case K::kUInt64:
        return function(std::integral_constant<K, K::kUInt64>());
      case K::kBool:
        return function(std::integral_constant<K, K::kBool>());
      case K::kString:
        return function(std::integral_constant<K, K::kString>());
      case K::kBytes:
        return function(std::integral_constant<K, K::kBytes>());
      case K::kEnum:
        return function(std::integral_constant<K, K::kEnum>());
      case K::kTimestamp:
        return function(std::integral_constant<K, K::kTimestamp>());
      default:
        return function(std::integral_constant<K, K::kMessage>());
    }
  }
}

// The C++ type of a kind of numbers; void for other kinds.
template <FieldKind kKind>
struct NumberType {
  using type = void;
};
template <>
struct NumberType<FieldKind::kDouble> {
  using type = double;
};
template <>
struct NumberType<FieldKind::kFloat> {
  using type = float;
};
template <>
struct NumberType<FieldKind::kInt32> {
  using type = std::int32_t;
};
template <>
struct NumberType<FieldKind::kInt64> {
  using type = std::int64_t;
};
template <>
struct NumberType<FieldKind::kUInt32> {
  using type = std::uint32_t;
};
template <>
struct NumberType<FieldKind::kUInt64> {
  using type = std::uint64_t;
};

// A name or another text of the document.
struct Text {
  std::string_view view;
  bool in_document = true;  // otherwise it had escapes and lies in `unescaped`
  std::string unescaped;
};

// The members of an object that were read so far.
template <typename Table>
struct ObjectState {
  explicit ObjectState(const Table& table) : seen(table) {}

  // Returns false if another member of the oneof was there before.
  bool AddOneof(int index) {
    const std::uint64_t bit = std::uint64_t{1} << index;
    if ((oneofs & bit) != 0) return false;
    oneofs |= bit;
    return true;
  }

  typename Table::Seen seen;  // fields, by their index
  std::uint64_t oneofs = 0;
  NameSet unknown_names;
};

// Reads one document, once. Functions take the position in the document at
// which they start, and return the one at which they end; null for an error.
template <bool kExplain>
class Reader {
 public:
  // Reads `json`, which must outlive the reader. Describes the first violation
  // in `*violation` if kExplain; otherwise `violation` is not used.
  Reader(std::string_view json, bool strict, Violation* violation);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Reads the object that the names in `path` lead to, and checks the rest.
  // Returns false if there is a violation; `message` may then hold a part of
  // the object.
  template <typename Table>
  bool ReadDocument(std::string_view path, const Table& table,
                    typename Table::Message* message) {
    const char* p = SkipSpace(begin_);
    p = path.empty() ? ReadObject(p, table, message)
                     : ReadAt(p, path, 0, table, message);
    if (p == nullptr) return false;
    p = Ready(p);
    if (p != end_) p = SkipSpace(p);
    return p == end_ || FailSyntax(p, "the document's end") != nullptr;
  }

 private:
  using Kind = JsonError::Kind;
  using Input = Violation::Input;

  // From a position that Ready returns, kWindow bytes are readable, or the rest
  // of the document and kPadding zeros. kWindow is more than a member has,
  // other than long strings, numbers and white space, after which Ready is
  // called again. The document's last bytes are read from a copy with the zeros
  // after it. As a zero has no meaning in JSON, most code needs no other sign
  // of the end. With kExplain the entire document is copied, which keeps the
  // offsets of positions.
  static constexpr std::ptrdiff_t kWindow = 512;
  static constexpr std::size_t kPadding = 64;
  static constexpr std::uint64_t kSpaces = 0x2020202020202020;
  static constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  // Longer names are looked up: comparing them might read beyond the padding.
  static constexpr std::size_t kMaxPredictedName = kPadding;

  // Returns `p`, or the same position in the copy of the document's last bytes
  // if fewer than kWindow are left.
  TOKENUSAGE_INLINE const char* Ready(const char* p) {
    return __builtin_expect(p <= last_ready_, 1) ? p : MoveToWindow(p);
  }
  const char* MoveToWindow(const char* p);

  TOKENUSAGE_INLINE const char* SkipSpace(const char* p) {
    if (__builtin_expect(static_cast<unsigned char>(*p) > ' ', 1)) return p;
    if (*p == ' ' && static_cast<unsigned char>(p[1]) > ' ') return p + 1;
    return SkipSpaces(p);
  }
  const char* SkipSpaces(const char* p);
  // Does what SkipSpace does. Faster if a line feed with at most seven spaces
  // of indentation follows.
  TOKENUSAGE_INLINE const char* SkipLine(const char* p) {
    if (*p != '\n') return SkipSpace(p);
    const std::uint64_t others = LoadWord(p + 1) ^ kSpaces;
    const char* const next = p + 1 + (__builtin_ctzll(others | kTop) / 8);
    return static_cast<unsigned char>(*next) > ' ' ? next : SkipSpaces(p);
  }

  // ------------------------------------------------------------- violations
  // These return null.
  const char* Fail(Kind kind, const char* p, std::string_view expected,
                   std::string_view found, Input input_kind = Input::kNone,
                   std::string_view input = "") {
    if constexpr (kExplain) {
      violation_->kind = kind;
      violation_->offset = static_cast<std::size_t>(p - begin_);
      violation_->expected = expected;
      violation_->found = found;
      violation_->input_kind = input_kind;
      violation_->input = input.substr(0, kKeptInputBytes);
    }
    return nullptr;
  }
  const char* FailSyntax(const char* p, std::string_view expected);
  // Reports a value of another type than `expected`. If the value is a
  // malformed string, number or literal, reports its syntax error instead.
  const char* FailType(const char* p, std::string_view expected);
  const char* FailString(const char* p);
  const char* FailTwice(const char* name, std::string_view text) {
    return Fail(Kind::kDuplicateName, name, "each name once", "name again",
                Input::kQuoted, text);
  }
  static bool StartsValue(char c) {
    return std::string_view("{[\"tfn-0123456789").find(c) !=
           std::string_view::npos;
  }
  // Add a step to the violation's field path.
  const char* WithinField(std::string_view name) {
    if constexpr (kExplain) violation_->path.push_back(PathStep::Field(name));
    return nullptr;
  }
  const char* WithinIndex(std::size_t index) {
    if constexpr (kExplain) violation_->path.push_back(PathStep::Index(index));
    return nullptr;
  }
  const char* WithinKey(std::string_view key) {
    if constexpr (kExplain) violation_->path.push_back(PathStep::Key(key));
    return nullptr;
  }

  // ---------------------------------------------------------------- grammar
  // Takes an opening bracket and the space that follows it.
  TOKENUSAGE_INLINE const char* Enter(const char* p, char open,
                                      std::string_view expected) {
    if (__builtin_expect(*p != open, 0)) return FailType(p, expected);
    if (__builtin_expect(depth_ == kMaxDepth, 0)) {
      return Fail(Kind::kTooDeep, p, "at most 100 levels of nesting",
                  "one more");
    }
    ++depth_;
    return SkipLine(p + 1);
  }
  // Return the position of the next name's quote, or of the closing brace.
  TOKENUSAGE_INLINE const char* FirstName(const char* p) {
    if (__builtin_expect(*p == '"', 1) || *p == '}') return Ready(p);
    return FailSyntax(p, "a name in double quotes or \"}\"");
  }
  TOKENUSAGE_INLINE const char* NextName(const char* p) {
    if (p[0] == ',' && p[1] == '"') return Ready(p + 1);
    p = SkipSpace(p);
    if (*p != ',') return *p == '}' ? p : FailSyntax(p, "\",\" or \"}\"");
    p = SkipLine(p + 1);
    if (*p != '"') return FailSyntax(p, "a name in double quotes");
    return Ready(p);
  }
  // Returns the position of the comma or the bracket after an element.
  const char* AfterElement(const char* p) {
    p = SkipSpace(p);
    return *p == ',' || *p == ']' ? p : FailSyntax(p, "\",\" or \"]\"");
  }
  const char* ReadString(const char* p, Text* text);
  const char* ReadLongString(const char* p, Text* text);
  const char* SkipString(const char* p);
  const char* SkipLongString(const char* p);
  const char* ReadColon(const char* p) {
    p = SkipSpace(p);
    return *p == ':' ? SkipSpace(p + 1) : FailSyntax(p, "\":\"");
  }
  const char* ReadName(const char* p, Text* name);
  const char* ReadLiteral(const char* p, std::string_view literal);
  const char* ReadNumber(const char* p, std::string_view* number);
  const char* SkipValue(const char* p);
  const char* SkipObject(const char* p);
  const char* SkipArray(const char* p);

  // -------------------------------------------------------------- messages
  template <typename Table>
  const char* ReadAt(const char* p, std::string_view path, std::size_t start,
                     const Table& table, typename Table::Message* message);
  template <typename Table>
  const char* ReadObject(const char* p, const Table& table,
                         typename Table::Message* message);
  template <typename Table>
  const char* ReadMembers(const char* p, const Table& table,
                          ObjectState<Table>* state,
                          typename Table::Message* message);
  template <typename Table, typename Field>
  const char* ReadMember(const char* name, const char* p, const Field& field,
                         ObjectState<Table>* state,
                         typename Table::Message* message);
  template <typename Table, typename Field>
  const char* ReadField(const char* name, const char* p, const Field& field,
                        ObjectState<Table>* state,
                        typename Table::Message* message);
  template <typename Field, typename Message>
  const char* ReadNull(const char* p, const Field& field, Message* message);
  template <typename Field, typename Message>
  const char* ReadArray(const char* p, const Field& field, Message* message);
  template <typename Field, typename Message>
  const char* ReadMap(const char* p, const Field& field, Message* message);
  template <typename Field, typename Slot>
  const char* ReadValue(const char* p, const Field& field, const Slot& slot);
  template <FieldShape kShape, typename Field, typename Message>
  const char* ReadShape(const char* p, const Field& field, Message* message);
  template <FieldKind kKind, typename Field, typename Slot>
  const char* ReadKind(const char* p, const Field& field, const Slot& slot);
  template <FieldKind kKind, typename Field, typename Slot>
  const char* ReadText(const char* p, const Field& field, const Slot& slot);
  const char* SkipUnknown(const char* name, const Text& text, const char* p,
                          NameSet* names);

  // ----------------------------------------------------------------- values
  template <FieldKind kKind, typename Number>
  const char* ReadNumberValue(const char* p, Number* value);
  template <typename Number>
  const char* ReadAnyNumber(const char* p, FieldKind kind, Number* value);
  const char* ReadBool(const char* p, bool* value);

  // Enough of a value for any excerpt.
  static constexpr std::size_t kKeptInputBytes = 256;

  const char* begin_;
  const char* end_;
  const char* last_ready_;
  const bool strict_;
  int depth_ = 0;
  Violation* const violation_;
  std::string copy_;  // of a long document, if kExplain
  char window_[kWindow + kPadding];
};

extern template class Reader<false>;
extern template class Reader<true>;

// ---------------------------------------------------------------------------
// Implementation only below this line.
// ---------------------------------------------------------------------------

// Reads the string at the quote `p`.
template <bool kExplain>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadString(const char* p,
                                                           Text* text) {
  const char* const quote = FindShortStringEnd(p + 1);
  if (quote == nullptr) return ReadLongString(p, text);
  text->in_document = true;
  text->view = {p + 1, static_cast<std::size_t>(quote - p - 1)};
  return Ready(quote + 1);
}

// Reads the object to which the names in path[start, ...) lead from the object
// at `p`.
template <bool kExplain>
template <typename Table>
const char* Reader<kExplain>::ReadAt(const char* p, std::string_view path,
                                     std::size_t start, const Table& table,
                                     typename Table::Message* message) {
  const std::size_t dot = std::min(path.find('.', start), path.size());
  const std::string_view wanted = path.substr(start, dot - start);
  // The path up to this name: the field path of violations outside the message.
  const std::string_view path_here = path.substr(0, dot);
  p = Enter(p, '{', "an object");
  if (p == nullptr) return WithinField(path.substr(0, start - (start > 0)));
  p = FirstName(p);
  bool found = false;
  Text text;
  while (p != nullptr && *p != '}') {
    const char* const name = p;
    p = ReadName(p, &text);
    if (p == nullptr) return nullptr;
    if (text.view != wanted) {
      p = SkipValue(p);
    } else if (found) {
      FailTwice(name, text.view);
      return WithinField(path_here);
    } else if (*p == 'n') {
      if (ReadLiteral(p, "null") != nullptr) {
        Fail(Kind::kNullValue, p, "an object", "null");
      }
      return WithinField(path_here);
    } else if (dot < path.size()) {
      found = true;
      p = ReadAt(p, path, dot + 1, table, message);
    } else if (*p != '{') {
      FailType(p, "an object");
      return WithinField(path_here);
    } else {
      found = true;
      p = ReadObject(p, table, message);
    }
    if (p != nullptr) p = NextName(p);
  }
  if (p == nullptr) return nullptr;
  if (!found) {
    Fail(Kind::kMissingField, p, "this member", "the object's end");
    return WithinField(path_here);
  }
  --depth_;
  return p + 1;
}

template <bool kExplain>
template <typename Table>
const char* Reader<kExplain>::ReadObject(const char* p, const Table& table,
                                         typename Table::Message* message) {
  p = Enter(p, '{', "an object");
  if (p == nullptr) return nullptr;
  p = FirstName(p);
  if (p == nullptr) return nullptr;
  table.Reset(message);
  ObjectState<Table> state(table);
  p = ReadMembers(p, table, &state, message);
  if (p == nullptr) return nullptr;
  const bool complete = table.ForEach([&](const auto& field) {
    if (state.seen.Has(field.index())) return true;
    if (field.required()) {
      Fail(Kind::kMissingField, p, "this required member", "the object's end");
      if constexpr (kExplain) WithinField(field.wire_name());
      return false;
    }
    field.ClearIfAbsent(message);
    return true;
  });
  if (!complete) return nullptr;
  --depth_;
  return p + 1;
}

// Reads the object's members up to its closing brace. Members are expected as
// they would be written: each is compared with the fields after the last one
// that was read, then with all fields. If none matches, the name is looked up.
template <bool kExplain>
template <typename Table>
inline const char* Reader<kExplain>::ReadMembers(
    const char* p, const Table& table, ObjectState<Table>* state,
    typename Table::Message* message) {
  std::size_t next = 0;
  // The position after the name of field `next`, if that was looked up.
  const char* named = nullptr;
  while (true) {
    const char* const start = p;
    p = table.InOrder(next, p,
                      [&](const auto& field, const char* at) TOKENUSAGE_LAMBDA {
                        const char* after = named;
                        if (__builtin_expect(named != nullptr, 0)) {
                          if (field.index() != next) return at;
                          named = nullptr;
                        } else {
                          if (!field.template IsQuotedAt<kMaxPredictedName>(at))
                            return at;
                          after = at + field.quoted().size();
                        }
                        return ReadMember(at, after, field, state, message);
                      });
    if (p == nullptr || *p == '}') return p;
    next = 0;
    if (p != start) continue;
    Text text;
    const char* const after = ReadName(p, &text);
    if (after == nullptr) return nullptr;
    const int index = table.Find(text.view);
    if (index >= 0) {
      next = static_cast<std::size_t>(index);
      named = after;
      continue;
    }
    p = SkipUnknown(p, text, after, &state->unknown_names);
    if (p != nullptr) p = NextName(p);
    if (p == nullptr || *p == '}') return p;
  }
}

template <bool kExplain>
template <typename Table, typename Field>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadMember(
    const char* name, const char* p, const Field& field,
    ObjectState<Table>* state, typename Table::Message* message) {
  if (__builtin_expect(!state->seen.Add(field.index()), 0)) {
    if constexpr (kExplain) {
      Text text;
      ReadName(name, &text);
      FailTwice(name, text.view);
      WithinField(field.wire_name());
    }
    return nullptr;
  }
  p = ReadField(name, SkipSpace(p), field, state, message);
  if (p == nullptr) {
    if constexpr (kExplain) WithinField(field.wire_name());
    return nullptr;
  }
  return NextName(p);
}

template <bool kExplain>
template <typename Table, typename Field>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadField(
    const char* name, const char* p, const Field& field,
    ObjectState<Table>* state, typename Table::Message* message) {
  if (__builtin_expect(*p == 'n', 0)) return ReadNull(p, field, message);
  if (field.oneof() >= 0 && !state->AddOneof(field.oneof())) {
    if constexpr (kExplain) {
      if (!StartsValue(*p)) return FailSyntax(p, field.Expected());
      return Fail(Kind::kDuplicateName, name, field.OneOfOneof(),
                  field.AfterOther(*message));
    }
    return nullptr;
  }
  return WithShape(field, [&](auto shape) {
    return ReadShape<decltype(shape)::value>(p, field, message);
  });
}

// Separate functions, as clang compiles all branches of a generic lambda that
// do not depend on its parameter.
template <bool kExplain>
template <FieldShape kShape, typename Field, typename Message>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadShape(const char* p,
                                                          const Field& field,
                                                          Message* message) {
  if constexpr (kShape == FieldShape::kRepeated) {
    return ReadArray(p, field, message);
  } else if constexpr (kShape == FieldShape::kMap) {
    return ReadMap(p, field, message);
  } else {
    return ReadValue(p, field, field.Singular(message));
  }
}

template <bool kExplain>
template <typename Field, typename Message>
const char* Reader<kExplain>::ReadNull(const char* p, const Field& field,
                                       Message* message) {
  const char* const after = ReadLiteral(p, "null");
  if (after == nullptr) return nullptr;
  if (field.required()) {
    return Fail(Kind::kNullValue, p, ExpectedOf(field.kind()), "null");
  }
  field.ClearIfAbsent(message);
  return after;
}

template <bool kExplain>
template <typename Field, typename Message>
const char* Reader<kExplain>::ReadArray(const char* p, const Field& field,
                                        Message* message) {
  p = Enter(p, '[', "an array");
  if (p == nullptr) return nullptr;
  field.Clear(message);
  std::size_t index = 0;
  while (*p != ']') {
    if (index > 0) p = SkipSpace(p + 1);
    p = ReadValue(Ready(p), field, field.Element(message));
    if (p == nullptr) return WithinIndex(index);
    p = AfterElement(p);
    if (p == nullptr) return nullptr;
    ++index;
  }
  --depth_;
  return p + 1;
}

template <bool kExplain>
template <typename Field, typename Message>
const char* Reader<kExplain>::ReadMap(const char* p, const Field& field,
                                      Message* message) {
  p = Enter(p, '{', "an object");
  if (p == nullptr) return nullptr;
  p = FirstName(p);
  field.Clear(message);
  NameSet keys;
  Text key;
  while (p != nullptr && *p != '}') {
    const char* const name = p;
    p = ReadName(p, &key);
    if (p == nullptr) return nullptr;
    if (!keys.Insert(key.view, key.in_document)) {
      p = Fail(Kind::kDuplicateName, name, "each name once", "this one again");
    } else {
      p = ReadValue(p, field, field.Entry(message, key.view));
    }
    if (p == nullptr) return WithinKey(key.view);
    p = NextName(p);
  }
  if (p == nullptr) return nullptr;
  --depth_;
  return p + 1;
}

template <bool kExplain>
template <typename Field, typename Slot>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadValue(const char* p,
                                                          const Field& field,
                                                          const Slot& slot) {
  return WithKind(field, [&](auto kind) {
    return ReadKind<decltype(kind)::value>(p, field, slot);
  });
}

template <bool kExplain>
template <FieldKind kKind, typename Field, typename Slot>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadKind(const char* p,
                                                         const Field& field,
                                                         const Slot& slot) {
  using Number = typename NumberType<kKind>::type;
  if constexpr (kKind == FieldKind::kMessage) {
    return ReadObject(p, field.table(), slot.NewMessage());
  } else if constexpr (kKind == FieldKind::kBool) {
    bool value;
    const char* const after = ReadBool(p, &value);
    if (after != nullptr) slot.Put(value);
    return after;
  } else if constexpr (!std::is_void_v<Number>) {
    Number value;
    const char* const after = ReadNumberValue<kKind>(p, &value);
    if (after != nullptr) slot.Put(value);
    return after;
  } else {
    return ReadText<kKind>(p, field, slot);
  }
}

template <bool kExplain>
template <FieldKind kKind, typename Field, typename Slot>
const char* Reader<kExplain>::ReadText(const char* p, const Field& field,
                                       const Slot& slot) {
  if (*p != '"') return FailType(p, ExpectedOf(kKind));
  Text text;
  const char* const after = ReadString(p, &text);
  if (after == nullptr) return nullptr;
  if constexpr (kKind == FieldKind::kString) {
    slot.PutText(text.view);
    return after;
  } else if constexpr (kKind == FieldKind::kBytes) {
    std::string bytes;
    if (ParseBase64(text.view, &bytes)) {
      slot.PutText(bytes);
      return after;
    }
  } else if constexpr (kKind == FieldKind::kEnum) {
    int number;
    if (field.enum_names().FindNumber(text.view, &number)) {
      slot.PutEnum(number);
      return after;
    }
  } else {
    UnixTime time;
    if (ParseRfc3339(text.view, &time)) {
      slot.PutTime(time);
      return after;
    }
  }
  return Fail(Kind::kOutOfRange, p, ExpectedOf(kKind), "string", Input::kQuoted,
              text.view);
}

template <bool kExplain>
template <FieldKind kKind, typename Number>
TOKENUSAGE_INLINE const char* Reader<kExplain>::ReadNumberValue(const char* p,
                                                                Number* value) {
  if constexpr (std::is_same_v<Number, double>) {
    const char* const after = TakeShortDouble(p, value);
    if (__builtin_expect(after != nullptr, 1)) return after;
  } else if constexpr (std::is_integral_v<Number>) {
    std::uint32_t number;
    const char* const after = TakeShortInteger(p, &number);
    if (__builtin_expect(after != nullptr, 1)) {
      *value = static_cast<Number>(number);
      return after;
    }
  }
  return ReadAnyNumber(p, kKind, value);
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_READER_H_
