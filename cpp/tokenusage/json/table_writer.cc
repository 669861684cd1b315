#include "tokenusage/json/table_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/json/number_writer.h"
#include "tokenusage/json/quoted.h"
#include "tokenusage/json/scanner.h"
#include "tokenusage/json/text_forms.h"
#include "tokenusage/json/text_scan.h"

namespace tokenusage {
namespace json_internal {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::Timestamp;

// Text on its way into a string, gathered in larger pieces.
class Output {
 public:
  explicit Output(std::string* out) : out_(*out) {}

  // Where a few bytes may be written, up to kRoom; Advance takes the end of
  // what was.
  char* Room() {
    if (buffer_ + sizeof(buffer_) - p_ < static_cast<std::ptrdiff_t>(kRoom)) {
      Flush();
    }
    return p_;
  }
  void Advance(char* end) { p_ = end; }

  void Put(char c) {
    char* const p = Room();
    *p = c;
    Advance(p + 1);
  }

  void Put(std::string_view text) {
    if (text.size() > kRoom) {
      Flush();
      out_.append(text);
      return;
    }
    char* const p = Room();
    std::memcpy(p, text.data(), text.size());
    Advance(p + text.size());
  }

  void Flush() {
    out_.append(buffer_, static_cast<std::size_t>(p_ - buffer_));
    p_ = buffer_;
  }

 private:
  static constexpr std::size_t kRoom = 128;
  static_assert(kRoom >= kNumberRoom, "a number is a few bytes");

  std::string& out_;
  char buffer_[1024];
  char* p_ = buffer_;
};

class TableWriter {
 public:
  explicit TableWriter(std::string* out) : out_(out) {}

  bool WriteRoot(const MessageTable& table, const Message& message) {
    const bool done = WriteObject(table, message);
    out_.Flush();
    return done;
  }

 private:
  bool WriteObject(const MessageTable& table, const Message& message);
  bool WriteMember(const FieldTable& field, const Message& message,
                   char* separator);
  bool WriteArray(const FieldTable& field, const Message& message);
  bool WriteMap(const FieldTable& field, const Message& message);
  bool WriteElement(const FieldTable& field, const Message& message, int index);
  bool WriteMapValue(const FieldTable& field, const void* value);
  bool WriteDouble(double value);
  bool WriteFloat(float value);
  bool WriteSigned(std::int64_t value);
  bool WriteUnsigned(std::uint64_t value);
  bool WriteBool(bool value);
  bool WriteText(std::string_view text);
  bool WriteBytes(std::string_view bytes);
  bool WriteEnum(const FieldTable& field, int number);
  bool WriteTimestamp(const Message& message);

  bool Enter(char open) {
    if (depth_ == kMaxDepth) return false;
    ++depth_;
    out_.Put(open);
    return true;
  }
  bool Leave(char close) {
    --depth_;
    out_.Put(close);
    return true;
  }

  Output out_;
  int depth_ = 0;
};

bool TableWriter::WriteObject(const MessageTable& table,
                              const Message& message) {
  if (depth_ == kMaxDepth) return false;
  ++depth_;
  char separator = '{';
  for (std::size_t i = 0; i < table.field_count; ++i) {
    if (!WriteMember(table.fields[i], message, &separator)) return false;
  }
  if (separator == '{') out_.Put('{');
  return Leave('}');
}

bool TableWriter::WriteMember(const FieldTable& field, const Message& message,
                              char* separator) {
  const bool written = field.has != nullptr
                           ? field.has(message)
                           : field.size == nullptr || field.size(message) > 0;
  if (!written) return !field.required;
  out_.Put(*separator);
  *separator = ',';
  out_.Put(field.prefix);
  switch (field.shape) {
    case FieldShape::kSingular:
      return WriteElement(field, message, 0);
    case FieldShape::kRepeated:
      return WriteArray(field, message);
    case FieldShape::kMap:
      return WriteMap(field, message);
  }
  return false;
}

bool TableWriter::WriteArray(const FieldTable& field, const Message& message) {
  if (!Enter('[')) return false;
  const int size = field.size(message);
  for (int i = 0; i < size; ++i) {
    if (i > 0) out_.Put(',');
    if (!WriteElement(field, message, i)) return false;
  }
  return Leave(']');
}

bool TableWriter::WriteMap(const FieldTable& field, const Message& message) {
  if (!Enter('{')) return false;
  std::vector<MapItem> items;
  items.reserve(static_cast<std::size_t>(field.size(message)));
  field.access.a_map.list(message, &items);
  std::sort(items.begin(), items.end(),
            [](const MapItem& a, const MapItem& b) { return a.key < b.key; });
  bool first = true;
  for (const MapItem& item : items) {
    if (!first) out_.Put(',');
    first = false;
    if (!WriteText(item.key)) return false;
    out_.Put(':');
    if (!WriteMapValue(field, item.value)) return false;
  }
  return Leave('}');
}

bool TableWriter::WriteElement(const FieldTable& field, const Message& message,
                               int index) {
  const FieldAccess& access = field.access;
  switch (field.kind) {
    case FieldKind::kDouble:
      return WriteDouble(access.a_double.get(message, index));
    case FieldKind::kFloat:
      return WriteFloat(access.a_float.get(message, index));
    case FieldKind::kInt32:
    case FieldKind::kInt64:
      return WriteSigned(access.a_signed.get(message, index));
    case FieldKind::kUInt32:
    case FieldKind::kUInt64:
      return WriteUnsigned(access.an_unsigned.get(message, index));
    case FieldKind::kBool:
      return WriteBool(access.a_bool.get(message, index));
    case FieldKind::kString:
      return WriteText(access.a_string.get(message, index));
    case FieldKind::kBytes:
      return WriteBytes(access.a_string.get(message, index));
    case FieldKind::kEnum:
      return WriteEnum(field, access.an_enum.get(message, index));
    case FieldKind::kMessage:
      return WriteObject(*field.message, access.a_message.get(message, index));
    case FieldKind::kTimestamp:
      return WriteTimestamp(access.a_message.get(message, index));
  }
  return false;
}

bool TableWriter::WriteMapValue(const FieldTable& field, const void* value) {
  switch (field.kind) {
    case FieldKind::kDouble:
      return WriteDouble(*static_cast<const double*>(value));
    case FieldKind::kFloat:
      return WriteFloat(*static_cast<const float*>(value));
    case FieldKind::kInt32:
      return WriteSigned(*static_cast<const std::int32_t*>(value));
    case FieldKind::kInt64:
      return WriteSigned(*static_cast<const std::int64_t*>(value));
    case FieldKind::kUInt32:
      return WriteUnsigned(*static_cast<const std::uint32_t*>(value));
    case FieldKind::kUInt64:
      return WriteUnsigned(*static_cast<const std::uint64_t*>(value));
    case FieldKind::kBool:
      return WriteBool(*static_cast<const bool*>(value));
    case FieldKind::kString:
      return WriteText(*static_cast<const std::string*>(value));
    case FieldKind::kBytes:
      return WriteBytes(*static_cast<const std::string*>(value));
    case FieldKind::kEnum: {
      int number;
      std::memcpy(&number, value, sizeof(number));
      return WriteEnum(field, number);
    }
    case FieldKind::kMessage:
      return WriteObject(*field.message, *static_cast<const Message*>(value));
    case FieldKind::kTimestamp:
      return WriteTimestamp(*static_cast<const Message*>(value));
  }
  return false;
}

bool TableWriter::WriteDouble(double value) {
  char* const end = PutDouble(value, out_.Room());
  if (end == nullptr) return false;
  out_.Advance(end);
  return true;
}

bool TableWriter::WriteFloat(float value) {
  char* const end = PutAnyFloat(value, out_.Room());
  if (end == nullptr) return false;
  out_.Advance(end);
  return true;
}

bool TableWriter::WriteSigned(std::int64_t value) {
  out_.Advance(PutInt64(value, out_.Room()));
  return true;
}

bool TableWriter::WriteUnsigned(std::uint64_t value) {
  out_.Advance(PutUInt64(value, out_.Room()));
  return true;
}

bool TableWriter::WriteBool(bool value) {
  out_.Put(value ? std::string_view("true") : std::string_view("false"));
  return true;
}

bool TableWriter::WriteText(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (ShortPlainTextEnd(text.data(), end) == end) {
    out_.Put('"');
    out_.Put(text);
    out_.Put('"');
    return true;
  }
  if (!IsUtf8(text)) return false;
  std::string quoted;
  AppendQuoted(text, &quoted);
  out_.Put(quoted);
  return true;
}

bool TableWriter::WriteBytes(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, &text);
  out_.Put('"');
  out_.Put(text);
  out_.Put('"');
  return true;
}

bool TableWriter::WriteEnum(const FieldTable& field, int number) {
  const EnumValueDescriptor* const value =
      field.enum_type()->FindValueByNumber(number);
  if (value == nullptr) return false;
  out_.Put('"');
  out_.Put(std::string(value->name()));
  out_.Put('"');
  return true;
}

bool TableWriter::WriteTimestamp(const Message& message) {
  const auto& timestamp = static_cast<const Timestamp&>(message);
  std::string text;
  if (!AppendRfc3339({timestamp.seconds(), timestamp.nanos()}, &text)) {
    return false;
  }
  out_.Put('"');
  out_.Put(text);
  out_.Put('"');
  return true;
}

}  // namespace

bool WriteByTable(const Message& message, const MessageTable& table,
                  std::string* out) {
  return TableWriter(out).WriteRoot(table, message);
}

}  // namespace json_internal
}  // namespace tokenusage
