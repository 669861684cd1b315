#include "tokenusage/json/reader.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/json/field_access.h"
#include "tokenusage/json/name_set.h"
#include "tokenusage/json/number.h"
#include "tokenusage/json/scanner.h"
#include "tokenusage/json/text_forms.h"

namespace tokenusage {
namespace json_internal {
namespace {

using Kind = JsonError::Kind;

std::string_view ExpectedOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kDouble:
    case FieldKind::kFloat:
      return "a number";
    case FieldKind::kInt32:
      return "an integer from -2147483648 to 2147483647";
    case FieldKind::kInt64:
      return "an integer from -9223372036854775808 to 9223372036854775807";
    case FieldKind::kUInt32:
      return "an integer from 0 to 4294967295";
    case FieldKind::kUInt64:
      return "an integer from 0 to 18446744073709551615";
    case FieldKind::kBool:
      return "true or false";
    case FieldKind::kString:
      return "a string";
    case FieldKind::kBytes:
      return "a string of base64";
    case FieldKind::kEnum:
      return "the name of an enum value";
    case FieldKind::kMessage:
      return "an object";
    case FieldKind::kTimestamp:
      return "an RFC 3339 time, as \"2024-05-01T12:00:00Z\"";
  }
  return "";
}

std::string_view ExpectedOf(const FieldPlan& plan) {
  if (plan.shape == FieldShape::kRepeated) return "an array";
  if (plan.shape == FieldShape::kMap) return "an object";
  return ExpectedOf(plan.kind);
}

template <typename Integer, typename Wide>
bool Narrow(Wide wide, Integer* value) {
  if (wide < std::numeric_limits<Integer>::min() ||
      wide > std::numeric_limits<Integer>::max()) {
    return false;
  }
  *value = static_cast<Integer>(wide);
  return true;
}

// Stores the value of a JSON number; false where the field cannot hold it.
bool StoreNumber(const FieldPlan& plan, std::string_view number,
                 Message* message) {
  switch (plan.kind) {
    case FieldKind::kDouble: {
      double value;
      if (!ParseDouble(number, &value)) return false;
      StoreDouble(plan, value, message);
      return true;
    }
    case FieldKind::kFloat: {
      float value;
      if (!ParseFloat(number, &value)) return false;
      StoreFloat(plan, value, message);
      return true;
    }
    case FieldKind::kUInt32:
    case FieldKind::kUInt64: {
      std::uint64_t wide;
      std::uint32_t value;
      if (!ParseUInt64(number, &wide)) return false;
      if (plan.kind == FieldKind::kUInt64) {
        StoreUInt64(plan, wide, message);
        return true;
      }
      if (!Narrow(wide, &value)) return false;
      StoreUInt32(plan, value, message);
      return true;
    }
    default: {
      std::int64_t wide;
      std::int32_t value;
      if (!ParseInt64(number, &wide)) return false;
      if (plan.kind == FieldKind::kInt64) {
        StoreInt64(plan, wide, message);
        return true;
      }
      if (!Narrow(wide, &value)) return false;
      StoreInt32(plan, value, message);
      return true;
    }
  }
}

// Stores the value of a JSON string; false where it is not of the field's form.
bool StoreText(const FieldPlan& plan, std::string_view text, Message* message) {
  if (plan.kind == FieldKind::kEnum) return StoreEnum(plan, text, message);
  if (plan.kind == FieldKind::kBytes) {
    std::string bytes;
    if (!ParseBase64(text, &bytes)) return false;
    StoreString(plan, std::move(bytes), message);
  } else if (plan.kind == FieldKind::kTimestamp) {
    UnixTime time;
    if (!ParseRfc3339(text, &time)) return false;
    StoreTimestamp(plan, time, message);
  } else {
    StoreString(plan, std::string(text), message);
  }
  return true;
}

// What an object has had so far.
struct ObjectState {
  explicit ObjectState(std::size_t field_count) : seen(field_count) {}

  std::vector<bool> seen;  // by FieldPlan::index
  NameSet unknown_names;
};

class Reader {
 public:
  Reader(std::string_view json, bool strict)
      : scanner_(json), strict_(strict) {}

  bool ReadRoot(std::string_view path, const MessagePlan& plan,
                Message* message) {
    return (path.empty() ? ReadObject(plan, message)
                         : ReadAt(path, plan, message)) &&
           scanner_.ExpectEnd();
  }

  Fault* mutable_fault() { return scanner_.mutable_fault(); }

 private:
  // Adds a step to the path of the error that is on its way out.
  bool Within(PathStep step) {
    scanner_.mutable_fault()->path.push_back(std::move(step));
    return false;
  }
  bool Within(const FieldPlan& plan) {
    return Within(PathStep::Field(plan.wire_name));
  }

  bool FailValue(Kind kind, std::size_t offset, const FieldPlan& plan,
                 bool is_string, std::string_view value) {
    return scanner_.Fail(
        kind, offset, ExpectedOf(plan.kind), is_string ? "string" : "number",
        is_string ? Fault::Input::kQuoted : Fault::Input::kPlain, value);
  }

  bool ReadAt(std::string_view path, const MessagePlan& plan, Message* message);
  bool ReadObject(const MessagePlan& plan, Message* message);
  bool ReadMember(const MessagePlan& plan, const Scanner::Member& member,
                  ObjectState* state, Message* message);
  bool SkipUnknown(const Scanner::Member& member, ObjectState* state);
  bool ReadField(const FieldPlan& plan, std::size_t name_offset,
                 Message* message);
  bool ReadNull(const FieldPlan& plan);
  bool CheckRequired(const MessagePlan& plan, const ObjectState& state);
  bool ReadArray(const FieldPlan& plan, Message* message);
  bool ReadMap(const FieldPlan& plan, Message* message);
  bool ReadMapEntry(const FieldPlan& plan, const Scanner::Member& member,
                    NameSet* keys, Message* message);
  bool ReadValue(const FieldPlan& plan, Message* message);
  bool ReadNumberValue(const FieldPlan& plan, Message* message);
  bool ReadTextValue(const FieldPlan& plan, Message* message);
  bool ReadBoolValue(const FieldPlan& plan, Message* message);

  Scanner scanner_;
  const bool strict_;
};

bool Reader::ReadAt(std::string_view path, const MessagePlan& plan,
                    Message* message) {
  const std::size_t dot = path.find('.');
  const bool is_last = dot == std::string_view::npos;
  const std::string_view name = path.substr(0, dot);
  if (!scanner_.EnterObject("an object")) return false;
  bool found = false;
  Scanner::Member member;
  while (true) {
    if (!scanner_.NextMember(&member)) return false;
    if (member.end) break;
    if (member.name != name) {
      if (!scanner_.SkipValue()) return false;
      continue;
    }
    if (found) {
      return scanner_.Fail(Kind::kDuplicateName, member.name_offset,
                           "each name once", "name again",
                           Fault::Input::kQuoted, member.name);
    }
    found = true;
    if (!(is_last ? ReadObject(plan, message)
                  : ReadAt(path.substr(dot + 1), plan, message))) {
      return false;
    }
  }
  return found || scanner_.Fail(Kind::kMissingField, scanner_.position() - 1,
                                absl::StrCat("a member \"",
                                             Excerpt(name, name.size()), "\""),
                                "the object's end");
}

bool Reader::ReadObject(const MessagePlan& plan, Message* message) {
  if (!scanner_.EnterObject("an object")) return false;
  ObjectState state(plan.fields.size());
  Scanner::Member member;
  while (true) {
    if (!scanner_.NextMember(&member)) return false;
    if (member.end) return CheckRequired(plan, state);
    if (!ReadMember(plan, member, &state, message)) return false;
  }
}

bool Reader::ReadMember(const MessagePlan& plan, const Scanner::Member& member,
                        ObjectState* state, Message* message) {
  const FieldPlan* const field = plan.Find(member.name);
  if (field == nullptr) return SkipUnknown(member, state);
  if (state->seen[field->index]) {
    scanner_.Fail(Kind::kDuplicateName, member.name_offset, "each name once",
                  "name again", Fault::Input::kQuoted, member.name);
    return Within(*field);
  }
  state->seen[field->index] = true;
  return ReadField(*field, member.name_offset, message) || Within(*field);
}

bool Reader::SkipUnknown(const Scanner::Member& member, ObjectState* state) {
  if (!state->unknown_names.Insert(member.name, member.name_in_document)) {
    return scanner_.Fail(Kind::kDuplicateName, member.name_offset,
                         "each name once", "name again", Fault::Input::kQuoted,
                         member.name);
  }
  if (strict_) {
    return scanner_.Fail(Kind::kUnknownField, member.name_offset,
                         "only members that the message declares", "name",
                         Fault::Input::kQuoted, member.name);
  }
  return scanner_.SkipValue();
}

bool Reader::ReadField(const FieldPlan& plan, std::size_t name_offset,
                       Message* message) {
  ValueType type;
  if (!scanner_.PeekType(ExpectedOf(plan), &type)) return false;
  if (type == ValueType::kNull) return ReadNull(plan);
  const std::string other = SetOneofMember(plan, *message);
  if (!other.empty()) {
    return scanner_.Fail(
        Kind::kDuplicateName, name_offset,
        absl::StrCat("one member of ",
                     std::string(plan.field->real_containing_oneof()->name())),
        absl::StrCat(plan.wire_name, " after ", other));
  }
  switch (plan.shape) {
    case FieldShape::kRepeated:
      return ReadArray(plan, message);
    case FieldShape::kMap:
      return ReadMap(plan, message);
    case FieldShape::kSingular:
      return ReadValue(plan, message);
  }
  return false;
}

bool Reader::ReadNull(const FieldPlan& plan) {
  const std::size_t start = scanner_.position();
  if (!scanner_.ReadLiteral("null")) return false;
  return !plan.required ||
         scanner_.Fail(Kind::kNullValue, start, ExpectedOf(plan), "null");
}

bool Reader::CheckRequired(const MessagePlan& plan, const ObjectState& state) {
  for (const FieldPlan& field : plan.fields) {
    if (!field.required || state.seen[field.index]) continue;
    scanner_.Fail(Kind::kMissingField, scanner_.position() - 1,
                  "this required member", "the object's end");
    return Within(field);
  }
  return true;
}

bool Reader::ReadArray(const FieldPlan& plan, Message* message) {
  if (!scanner_.EnterArray("an array")) return false;
  bool end = false;
  for (std::size_t i = 0; scanner_.NextElement(i == 0, &end); ++i) {
    if (end) return true;
    if (!ReadValue(plan, message)) return Within(PathStep::Index(i));
  }
  return false;
}

bool Reader::ReadMap(const FieldPlan& plan, Message* message) {
  if (!scanner_.EnterObject("an object")) return false;
  NameSet keys;
  Scanner::Member member;
  while (true) {
    if (!scanner_.NextMember(&member)) return false;
    if (member.end) return true;
    if (!ReadMapEntry(plan, member, &keys, message)) {
      return Within(PathStep::Key(member.name));
    }
  }
}

bool Reader::ReadMapEntry(const FieldPlan& plan, const Scanner::Member& member,
                          NameSet* keys, Message* message) {
  if (!keys->Insert(member.name, member.name_in_document)) {
    return scanner_.Fail(Kind::kDuplicateName, member.name_offset,
                         "each name once", "this one again");
  }
  Message* const entry = StoreMessage(plan, message);
  StoreString(plan.message->fields[0], std::string(member.name), entry);
  return ReadValue(plan.message->fields[1], entry);
}

bool Reader::ReadValue(const FieldPlan& plan, Message* message) {
  switch (plan.kind) {
    case FieldKind::kMessage:
      return ReadObject(*plan.message, StoreMessage(plan, message));
    case FieldKind::kBool:
      return ReadBoolValue(plan, message);
    case FieldKind::kString:
    case FieldKind::kBytes:
    case FieldKind::kEnum:
    case FieldKind::kTimestamp:
      return ReadTextValue(plan, message);
    default:
      return ReadNumberValue(plan, message);
  }
}

bool Reader::ReadNumberValue(const FieldPlan& plan, Message* message) {
  const std::string_view expected = ExpectedOf(plan.kind);
  ValueType type;
  if (!scanner_.PeekType(expected, &type)) return false;
  const std::size_t start = scanner_.position();
  const bool is_string = type == ValueType::kString;
  std::string scratch;
  std::string_view number;
  if (is_string) {
    if (!scanner_.ReadString(&scratch, &number)) return false;
    if (!IsNumber(number)) {
      return FailValue(Kind::kWrongType, start, plan, is_string, number);
    }
  } else if (!scanner_.ExpectType(ValueType::kNumber, expected) ||
             !scanner_.ReadNumber(&number)) {
    return false;
  }
  if (StoreNumber(plan, number, message)) return true;
  FailValue(Kind::kOutOfRange, start, plan, is_string, number);
  if (plan.kind == FieldKind::kDouble || plan.kind == FieldKind::kFloat) {
    scanner_.mutable_fault()->expected = plan.kind == FieldKind::kDouble
                                             ? "a number within double's range"
                                             : "a number within float's range";
  }
  return false;
}

bool Reader::ReadTextValue(const FieldPlan& plan, Message* message) {
  if (!scanner_.ExpectType(ValueType::kString, ExpectedOf(plan.kind))) {
    return false;
  }
  const std::size_t start = scanner_.position();
  std::string scratch;
  std::string_view text;
  if (!scanner_.ReadString(&scratch, &text)) return false;
  return StoreText(plan, text, message) ||
         FailValue(Kind::kOutOfRange, start, plan, true, text);
}

bool Reader::ReadBoolValue(const FieldPlan& plan, Message* message) {
  const std::string_view expected = ExpectedOf(plan.kind);
  ValueType type;
  if (!scanner_.PeekType(expected, &type)) return false;
  const bool value = type == ValueType::kTrue;
  if (!value && !scanner_.ExpectType(ValueType::kFalse, expected)) return false;
  if (!scanner_.ReadLiteral(value ? "true" : "false")) return false;
  StoreBool(plan, value, message);
  return true;
}

}  // namespace

bool ReadDocument(std::string_view json, std::string_view path,
                  const MessagePlan& plan, bool strict, Message* message,
                  Fault* fault) {
  Reader reader(json, strict);
  if (reader.ReadRoot(path, plan, message)) return true;
  *fault = std::move(*reader.mutable_fault());
  return false;
}

}  // namespace json_internal
}  // namespace tokenusage
