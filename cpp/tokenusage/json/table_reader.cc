#include "tokenusage/json/table_reader.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "tokenusage/json/name_set.h"
#include "tokenusage/json/number.h"
#include "tokenusage/json/number_reader.h"
#include "tokenusage/json/scanner.h"
#include "tokenusage/json/text_forms.h"
#include "tokenusage/json/text_scan.h"

namespace tokenusage {
namespace json_internal {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::Timestamp;

// Up to that many fields a name is compared with each of them.
constexpr std::size_t kFewFields = 16;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether `size` bytes are the same; inlined, as names are short.
inline bool SameBytes(const char* a, const char* b, std::size_t size) {
  if (size < 8) return std::memcmp(a, b, size) == 0;
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    if (LoadWord(a + i) != LoadWord(b + i)) return false;
  }
  return LoadWord(a + size - 8) == LoadWord(b + size - 8);
}

// The field of that wire name or alias; null for none.
const FieldTable* FindField(const MessageTable& table, std::string_view name) {
  for (std::size_t i = 0; i < table.field_count; ++i) {
    const FieldTable& field = table.fields[i];
    if (name == field.name || name == field.alias) return &field;
  }
  return nullptr;
}

// What an object has had so far.
class ObjectState {
 public:
  // False where that was there before.
  bool AddField(std::size_t index) { return Add(&seen_[index / 64], index); }
  bool AddOneof(int index) {
    return Add(&oneofs_, static_cast<std::size_t>(index));
  }
  bool AddUnknown(std::string_view name, bool in_document) {
    return unknown_names_.Insert(name, in_document);
  }

  bool HasField(std::size_t index) const {
    return (seen_[index / 64] >> (index % 64) & 1) != 0;
  }
  bool HasRequired(const MessageTable& table) const {
    std::uint64_t missing = table.required[0] & ~seen_[0];
    for (std::size_t i = 1; i * 64 < table.field_count; ++i) {
      missing |= table.required[i] & ~seen_[i];
    }
    return missing == 0;
  }

 private:
  static bool Add(std::uint64_t* mask, std::size_t index) {
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if ((*mask & bit) != 0) return false;
    *mask |= bit;
    return true;
  }

  FieldMask seen_ = {};
  std::uint64_t oneofs_ = 0;
  NameSet unknown_names_;
};

// A name or text. It lies in the document, or in `scratch` where it has
// escapes.
struct Text {
  std::string_view view;
  bool in_document = true;
  std::string scratch;
};

template <bool kPadded>
class TableReader {
 public:
  TableReader(std::string_view json, bool strict)
      : json_(json),
        p_(json.data()),
        end_(json.data() + json.size()),
        strict_(strict) {}

  bool ReadRoot(std::string_view path, const MessageTable& table,
                Message* message) {
    SkipSpace();
    if (!(path.empty() ? ReadObject(table, message)
                       : ReadAt(path, table, message))) {
      return false;
    }
    SkipSpace();
    return p_ == end_;
  }

  bool ReadRootNumbers(const MessageTable& table, double* numbers) {
    SkipSpace();
    if (!ReadNumbers(table, numbers)) return false;
    SkipSpace();
    return p_ == end_;
  }

 private:
  void SkipSpace() {
    while (p_ < end_ && IsSpace(*p_)) ++p_;
  }
  bool Take(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  bool Take(std::string_view text) {
    if (static_cast<std::size_t>(end_ - p_) < text.size() ||
        !SameBytes(p_, text.data(), text.size())) {
      return false;
    }
    p_ += text.size();
    return true;
  }

  // An opening bracket and space; the bracket behind the last item leaves.
  bool Enter(char open) {
    if (!Take(open) || depth_ == kMaxDepth) return false;
    ++depth_;
    SkipSpace();
    return true;
  }
  bool Leave(char close) {
    if (!Take(close)) return false;
    --depth_;
    return true;
  }
  // Between items: a comma and space around it; otherwise stays in place.
  bool NextItem() {
    SkipSpace();
    if (!Take(',')) return false;
    SkipSpace();
    return true;
  }

  bool ReadAt(std::string_view path, const MessageTable& table,
              Message* message);
  bool ReadObject(const MessageTable& table, Message* message);
  bool ReadMember(const MessageTable& table, std::size_t* expected,
                  ObjectState* state, Message* message);
  const FieldTable* TakeFieldName(const MessageTable& table,
                                  std::size_t expected);
  bool SkipUnknown(const Text& name, ObjectState* state);
  bool ReadField(const FieldTable& field, ObjectState* state, Message* message);
  bool ReadNumbers(const MessageTable& table, double* numbers);
  bool ReadArray(const FieldTable& field, Message* message);
  bool ReadMap(const FieldTable& field, Message* message);
  bool ReadElement(const FieldTable& field, Message* message);
  bool ReadMapValue(const FieldTable& field, void* value);

  bool ReadName(Text* name);
  bool ReadString(Text* text);
  bool ReadNumberText(std::string_view* number);
  bool ReadDoubleValue(double* value);
  bool ReadDoubleNumber(double* value);
  bool ReadFloat(float* value);
  bool ReadSigned(FieldKind kind, std::int64_t* value);
  bool ReadUnsigned(FieldKind kind, std::uint64_t* value);
  bool ReadBool(bool* value);
  bool ReadBytes(std::string* bytes);
  bool ReadEnum(const FieldTable& field, int* number);
  bool ReadTimestamp(Message* message);
  bool SkipValue();
  bool SkipObject();
  bool SkipArray();

  const std::string_view json_;
  const char* p_;
  const char* const end_;
  int depth_ = 0;
  const bool strict_;
};

template <bool kPadded>
bool TableReader<kPadded>::ReadAt(std::string_view path,
                                  const MessageTable& table, Message* message) {
  const std::size_t dot = path.find('.');
  const bool is_last = dot == std::string_view::npos;
  const std::string_view wanted = path.substr(0, dot);
  if (!Enter('{')) return false;
  bool found = false;
  Text name;
  do {
    if (!ReadName(&name)) return false;
    if (name.view != wanted) {
      if (!SkipValue()) return false;
    } else {
      if (found) return false;
      found = true;
      SkipSpace();
      if (!(is_last ? ReadObject(table, message)
                    : ReadAt(path.substr(dot + 1), table, message))) {
        return false;
      }
    }
  } while (NextItem());
  return found && Leave('}');
}

template <bool kPadded>
bool TableReader<kPadded>::ReadObject(const MessageTable& table,
                                      Message* message) {
  if (!Enter('{')) return false;
  table.reset(message);
  ObjectState state;
  std::size_t expected = 0;
  if (p_ == end_ || *p_ != '}') {
    do {
      if (!ReadMember(table, &expected, &state, message)) return false;
    } while (NextItem());
  }
  if (!Leave('}') || !state.HasRequired(table)) return false;
  for (std::size_t i = 0; i < table.field_count; ++i) {
    if (!state.HasField(i)) table.fields[i].clear(message);
  }
  return true;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadNumbers(const MessageTable& table,
                                       double* numbers) {
  if (!Enter('{')) return false;
  std::uint64_t missing = (std::uint64_t{1} << table.field_count) - 1;
  std::size_t expected = 0;
  do {
    const FieldTable* const field = TakeFieldName(table, expected);
    if (field == nullptr) return false;
    expected = static_cast<std::size_t>(field - table.fields) + 1;
    const std::uint64_t bit = std::uint64_t{1} << (expected - 1);
    if ((missing & bit) == 0) return false;
    missing ^= bit;
    SkipSpace();
    double* const number = numbers + field->first_number;
    if (field->message != nullptr) {
      if (!ReadNumbers(*field->message, number)) return false;
    } else {
      if (!ReadDoubleNumber(number)) return false;
    }
  } while (NextItem());
  return missing == 0 && Leave('}');
}

template <bool kPadded>
bool TableReader<kPadded>::ReadMember(const MessageTable& table,
                                      std::size_t* expected, ObjectState* state,
                                      Message* message) {
  const FieldTable* field = TakeFieldName(table, *expected);
  if (field == nullptr) {
    Text name;
    if (!ReadName(&name)) return false;
    field = FindField(table, name.view);
    if (field == nullptr) return SkipUnknown(name, state);
  }
  const auto index = static_cast<std::size_t>(field - table.fields);
  *expected = index + 1;
  SkipSpace();
  return state->AddField(index) && ReadField(*field, state, message);
}

// A field's name as it is written, at best that of the field behind the last
// one. Null, and nothing is taken, where there is none.
template <bool kPadded>
const FieldTable* TableReader<kPadded>::TakeFieldName(const MessageTable& table,
                                                      std::size_t expected) {
  const std::size_t count = table.field_count;
  if (expected < count && Take(table.fields[expected].prefix)) {
    return &table.fields[expected];
  }
  if (count > kFewFields) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (Take(table.fields[i].prefix)) return &table.fields[i];
  }
  return nullptr;
}

template <bool kPadded>
bool TableReader<kPadded>::SkipUnknown(const Text& name, ObjectState* state) {
  return !strict_ && state->AddUnknown(name.view, name.in_document) &&
         SkipValue();
}

template <bool kPadded>
bool TableReader<kPadded>::ReadField(const FieldTable& field,
                                     ObjectState* state, Message* message) {
  if (p_ < end_ && *p_ == 'n') {
    field.clear(message);
    return !field.required && Take("null");
  }
  if (field.oneof >= 0 && !state->AddOneof(field.oneof)) return false;
  switch (field.shape) {
    case FieldShape::kSingular:
      return ReadElement(field, message);
    case FieldShape::kRepeated:
      return ReadArray(field, message);
    case FieldShape::kMap:
      return ReadMap(field, message);
  }
  return false;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadArray(const FieldTable& field,
                                     Message* message) {
  if (!Enter('[')) return false;
  field.clear(message);
  if (p_ == end_ || *p_ != ']') {
    do {
      if (!ReadElement(field, message)) return false;
    } while (NextItem());
  }
  return Leave(']');
}

template <bool kPadded>
bool TableReader<kPadded>::ReadMap(const FieldTable& field, Message* message) {
  if (!Enter('{')) return false;
  field.clear(message);
  if (p_ == end_ || *p_ != '}') {
    Text name;
    do {
      if (!ReadName(&name)) return false;
      SkipSpace();
      void* const value = field.access.a_map.put(message, name.view);
      if (value == nullptr || !ReadMapValue(field, value)) return false;
    } while (NextItem());
  }
  return Leave('}');
}

template <bool kPadded>
bool TableReader<kPadded>::ReadElement(const FieldTable& field,
                                       Message* message) {
  const auto put = [message](const auto& access, const auto& value) {
    access.put(message, value);
    return true;
  };
  switch (field.kind) {
    case FieldKind::kDouble: {
      double value;
      return ReadDoubleValue(&value) && put(field.access.a_double, value);
    }
    case FieldKind::kFloat: {
      float value;
      return ReadFloat(&value) && put(field.access.a_float, value);
    }
    case FieldKind::kInt32:
    case FieldKind::kInt64: {
      std::int64_t value;
      return ReadSigned(field.kind, &value) &&
             put(field.access.a_signed, value);
    }
    case FieldKind::kUInt32:
    case FieldKind::kUInt64: {
      std::uint64_t value;
      return ReadUnsigned(field.kind, &value) &&
             put(field.access.an_unsigned, value);
    }
    case FieldKind::kBool: {
      bool value;
      return ReadBool(&value) && put(field.access.a_bool, value);
    }
    case FieldKind::kString: {
      Text text;
      return ReadString(&text) && put(field.access.a_string, text.view);
    }
    case FieldKind::kBytes: {
      std::string bytes;
      return ReadBytes(&bytes) && put(field.access.a_string, bytes);
    }
    case FieldKind::kEnum: {
      int number;
      return ReadEnum(field, &number) && put(field.access.an_enum, number);
    }
    case FieldKind::kMessage:
      return ReadObject(*field.message, field.access.a_message.put(message));
    case FieldKind::kTimestamp:
      return ReadTimestamp(field.access.a_message.put(message));
  }
  return false;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadMapValue(const FieldTable& field, void* value) {
  switch (field.kind) {
    case FieldKind::kDouble:
      return ReadDoubleValue(static_cast<double*>(value));
    case FieldKind::kFloat:
      return ReadFloat(static_cast<float*>(value));
    case FieldKind::kInt32: {
      std::int64_t wide;
      if (!ReadSigned(field.kind, &wide)) return false;
      *static_cast<std::int32_t*>(value) = static_cast<std::int32_t>(wide);
      return true;
    }
    case FieldKind::kInt64:
      return ReadSigned(field.kind, static_cast<std::int64_t*>(value));
    case FieldKind::kUInt32: {
      std::uint64_t wide;
      if (!ReadUnsigned(field.kind, &wide)) return false;
      *static_cast<std::uint32_t*>(value) = static_cast<std::uint32_t>(wide);
      return true;
    }
    case FieldKind::kUInt64:
      return ReadUnsigned(field.kind, static_cast<std::uint64_t*>(value));
    case FieldKind::kBool:
      return ReadBool(static_cast<bool*>(value));
    case FieldKind::kString: {
      Text text;
      if (!ReadString(&text)) return false;
      static_cast<std::string*>(value)->assign(text.view);
      return true;
    }
    case FieldKind::kBytes:
      return ReadBytes(static_cast<std::string*>(value));
    case FieldKind::kEnum: {
      // Of an enum's type, which is as wide as int.
      int number;
      if (!ReadEnum(field, &number)) return false;
      std::memcpy(value, &number, sizeof(number));
      return true;
    }
    case FieldKind::kMessage:
      return ReadObject(*field.message, static_cast<Message*>(value));
    case FieldKind::kTimestamp:
      return ReadTimestamp(static_cast<Message*>(value));
  }
  return false;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadName(Text* name) {
  if (!ReadString(name)) return false;
  SkipSpace();
  return Take(':');
}

template <bool kPadded>
bool TableReader<kPadded>::ReadString(Text* text) {
  if (p_ == end_ || *p_ != '"') return false;
  const char* const start = p_ + 1;
  const char* const stop = ShortPlainTextEnd(start, end_);
  if (stop < end_ && *stop == '"') {
    text->view = {start, static_cast<std::size_t>(stop - start)};
    text->in_document = true;
    p_ = stop + 1;
    return true;
  }
  Scanner scanner(json_, static_cast<std::size_t>(p_ - json_.data()));
  if (!scanner.ReadString(&text->scratch, &text->view)) return false;
  text->in_document = text->view.data() != text->scratch.data();
  p_ = json_.data() + scanner.position();
  return true;
}

// A number, or a string that is one.
template <bool kPadded>
bool TableReader<kPadded>::ReadNumberText(std::string_view* number) {
  if (p_ < end_ && *p_ == '"') {
    Text text;
    // One with escapes is left to the other reader.
    if (!ReadString(&text) || !text.in_document) return false;
    *number = text.view;
    return IsNumber(text.view);
  }
  const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
  const NumberSpan span = ScanNumber(rest);
  *number = rest.substr(0, span.length);
  p_ += span.length;
  return span.valid;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadDoubleValue(double* value) {
  if (p_ < end_ && *p_ == '"') {
    std::string_view number;
    return ReadNumberText(&number) && ParseDouble(number, value);
  }
  return ReadDoubleNumber(value);
}

// Not inlined, as its callers are better off short.
template <bool kPadded>
__attribute__((noinline)) bool TableReader<kPadded>::ReadDoubleNumber(
    double* value) {
  return TakeDouble<kPadded>(&p_, end_, value);
}

template <bool kPadded>
bool TableReader<kPadded>::ReadFloat(float* value) {
  std::string_view number;
  return ReadNumberText(&number) && ParseFloat(number, value);
}

template <bool kPadded>
bool TableReader<kPadded>::ReadSigned(FieldKind kind, std::int64_t* value) {
  std::string_view number;
  if (!ReadNumberText(&number) || !ParseInt64(number, value)) return false;
  using Limits = std::numeric_limits<std::int32_t>;
  return kind == FieldKind::kInt64 ||
         (*value >= Limits::min() && *value <= Limits::max());
}

template <bool kPadded>
bool TableReader<kPadded>::ReadUnsigned(FieldKind kind, std::uint64_t* value) {
  std::string_view number;
  if (!ReadNumberText(&number) || !ParseUInt64(number, value)) return false;
  return kind == FieldKind::kUInt64 ||
         *value <= std::numeric_limits<std::uint32_t>::max();
}

template <bool kPadded>
bool TableReader<kPadded>::ReadBool(bool* value) {
  *value = p_ < end_ && *p_ == 't';
  return Take(*value ? std::string_view("true") : std::string_view("false"));
}

template <bool kPadded>
bool TableReader<kPadded>::ReadBytes(std::string* bytes) {
  Text text;
  return ReadString(&text) && ParseBase64(text.view, bytes);
}

template <bool kPadded>
bool TableReader<kPadded>::ReadEnum(const FieldTable& field, int* number) {
  Text text;
  if (!ReadString(&text)) return false;
  const EnumValueDescriptor* const value =
      field.enum_type()->FindValueByName(std::string(text.view));
  if (value == nullptr) return false;
  *number = value->number();
  return true;
}

template <bool kPadded>
bool TableReader<kPadded>::ReadTimestamp(Message* message) {
  Text text;
  UnixTime time;
  if (!ReadString(&text) || !ParseRfc3339(text.view, &time)) return false;
  auto* const timestamp = static_cast<Timestamp*>(message);
  timestamp->Clear();
  timestamp->set_seconds(time.seconds);
  timestamp->set_nanos(time.nanos);
  return true;
}

template <bool kPadded>
bool TableReader<kPadded>::SkipObject() {
  if (!Enter('{')) return false;
  if (p_ == end_ || *p_ != '}') {
    Text name;
    do {
      if (!ReadName(&name) || !SkipValue()) return false;
    } while (NextItem());
  }
  return Leave('}');
}

template <bool kPadded>
bool TableReader<kPadded>::SkipArray() {
  if (!Enter('[')) return false;
  if (p_ == end_ || *p_ != ']') {
    do {
      if (!SkipValue()) return false;
    } while (NextItem());
  }
  return Leave(']');
}

template <bool kPadded>
bool TableReader<kPadded>::SkipValue() {
  SkipSpace();
  if (p_ == end_) return false;
  std::string_view number;
  Text text;
  switch (*p_) {
    case '{':
      return SkipObject();
    case '[':
      return SkipArray();
    case '"':
      return ReadString(&text);
    case 't':
      return Take("true");
    case 'f':
      return Take("false");
    case 'n':
      return Take("null");
    default:
      return ReadNumberText(&number);
  }
}

}  // namespace

bool ReadNumbersByTable(std::string_view json, const MessageTable& table,
                        bool padded, double* numbers) {
  if (padded) {
    return TableReader<true>(json, false).ReadRootNumbers(table, numbers);
  }
  return TableReader<false>(json, false).ReadRootNumbers(table, numbers);
}

bool ReadByTable(std::string_view json, std::string_view path,
                 const MessageTable& table, const TableReadOptions& options,
                 Message* message) {
  if (options.padded) {
    return TableReader<true>(json, options.strict)
        .ReadRoot(path, table, message);
  }
  return TableReader<false>(json, options.strict)
      .ReadRoot(path, table, message);
}

}  // namespace json_internal
}  // namespace tokenusage
