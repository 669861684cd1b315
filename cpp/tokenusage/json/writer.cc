#include "tokenusage/json/writer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/json/field_access.h"
#include "tokenusage/json/number.h"
#include "tokenusage/json/quoted.h"
#include "tokenusage/json/scanner.h"
#include "tokenusage/json/text_forms.h"

namespace tokenusage {
namespace json_internal {
namespace {

using Kind = JsonError::Kind;

struct MapItem {
  std::string key;
  const Message* entry = nullptr;
};

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  bool WriteObject(const MessagePlan& plan, const Message& message);

  Fault* mutable_fault() { return &fault_; }

 private:
  bool Within(PathStep step) {
    fault_.path.push_back(std::move(step));
    return false;
  }

  bool Fail(Kind kind, std::string_view expected, std::string_view found) {
    fault_.kind = kind;
    fault_.expected = expected;
    fault_.found = found;
    return false;
  }

  // Counts a level of nesting for as long as a container is written.
  bool Enter(char open);
  void Leave(char close);

  void WriteSeparator(bool* first);
  bool WriteMember(const FieldPlan& plan, const Message& message, bool* first);
  bool WriteArray(const FieldPlan& plan, const Message& message);
  bool WriteMap(const FieldPlan& plan, const Message& message);
  bool WriteMapItem(const FieldPlan& plan, const MapItem& item);
  bool WriteValue(const FieldPlan& plan, const Message& message, int index);
  bool WriteDouble(double value);
  bool WriteFloat(float value);
  bool WriteInteger(const FieldPlan& plan, const Message& message, int index);
  bool WriteText(std::string_view text);
  bool WriteEnum(const FieldPlan& plan, const Message& message, int index);
  bool WriteTimestamp(const UnixTime& time);

  std::string& out_;
  int depth_ = 0;
  Fault fault_;
};

// Whether the member stands in the JSON at all.
bool IsWritten(const FieldPlan& plan, const Message& message) {
  if (plan.shape != FieldShape::kSingular) {
    return CountElements(plan, message) > 0;
  }
  return !plan.has_presence || IsSet(plan, message);
}

// A map's entries in the order of their keys' bytes. A map that was put
// together as a list of entries may hold a key twice: the last one counts.
std::vector<MapItem> SortedItems(const FieldPlan& plan,
                                 const Message& message) {
  const int count = CountElements(plan, message);
  std::vector<MapItem> items;
  items.reserve(static_cast<std::size_t>(count));
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    const Message& entry = LoadMessage(plan, message, i);
    items.push_back(
        {LoadString(plan.message->fields[0], entry, kSingular, &scratch),
         &entry});
  }
  std::stable_sort(
      items.begin(), items.end(),
      [](const MapItem& a, const MapItem& b) { return a.key < b.key; });
  const auto rest = std::unique(
      items.rbegin(), items.rend(),
      [](const MapItem& a, const MapItem& b) { return a.key == b.key; });
  items.erase(items.begin(), rest.base());
  return items;
}

bool Writer::Enter(char open) {
  if (depth_ == kMaxDepth) {
    return Fail(Kind::kTooDeep, "at most 100 levels of nesting", "one more");
  }
  ++depth_;
  out_.push_back(open);
  return true;
}

void Writer::Leave(char close) {
  --depth_;
  out_.push_back(close);
}

void Writer::WriteSeparator(bool* first) {
  if (!*first) out_.push_back(',');
  *first = false;
}

bool Writer::WriteObject(const MessagePlan& plan, const Message& message) {
  if (!Enter('{')) return false;
  bool first = true;
  for (const FieldPlan& field : plan.fields) {
    if (!WriteMember(field, message, &first)) {
      return Within(PathStep::Field(field.wire_name));
    }
  }
  Leave('}');
  return true;
}

bool Writer::WriteMember(const FieldPlan& plan, const Message& message,
                         bool* first) {
  if (!IsWritten(plan, message)) {
    return !plan.required || Fail(Kind::kMissingField, "this required field",
                                  "a message where it is not set");
  }
  WriteSeparator(first);
  out_ += plan.prefix;
  switch (plan.shape) {
    case FieldShape::kRepeated:
      return WriteArray(plan, message);
    case FieldShape::kMap:
      return WriteMap(plan, message);
    case FieldShape::kSingular:
      return WriteValue(plan, message, kSingular);
  }
  return false;
}

bool Writer::WriteArray(const FieldPlan& plan, const Message& message) {
  if (!Enter('[')) return false;
  bool first = true;
  const int count = CountElements(plan, message);
  for (int i = 0; i < count; ++i) {
    WriteSeparator(&first);
    if (!WriteValue(plan, message, i)) {
      return Within(PathStep::Index(static_cast<std::size_t>(i)));
    }
  }
  Leave(']');
  return true;
}

bool Writer::WriteMap(const FieldPlan& plan, const Message& message) {
  if (!Enter('{')) return false;
  bool first = true;
  for (const MapItem& item : SortedItems(plan, message)) {
    WriteSeparator(&first);
    if (!WriteMapItem(plan, item)) return Within(PathStep::Key(item.key));
  }
  Leave('}');
  return true;
}

bool Writer::WriteMapItem(const FieldPlan& plan, const MapItem& item) {
  if (!WriteText(item.key)) return false;
  out_.push_back(':');
  return WriteValue(plan.message->fields[1], *item.entry, kSingular);
}

bool Writer::WriteValue(const FieldPlan& plan, const Message& message,
                        int index) {
  std::string scratch;
  switch (plan.kind) {
    case FieldKind::kDouble:
      return WriteDouble(LoadDouble(plan, message, index));
    case FieldKind::kFloat:
      return WriteFloat(LoadFloat(plan, message, index));
    case FieldKind::kInt32:
    case FieldKind::kInt64:
    case FieldKind::kUInt32:
    case FieldKind::kUInt64:
      return WriteInteger(plan, message, index);
    case FieldKind::kBool:
      out_ += LoadBool(plan, message, index) ? "true" : "false";
      return true;
    case FieldKind::kString:
      return WriteText(LoadString(plan, message, index, &scratch));
    case FieldKind::kBytes:
      out_.push_back('"');
      AppendBase64(LoadString(plan, message, index, &scratch), &out_);
      out_.push_back('"');
      return true;
    case FieldKind::kEnum:
      return WriteEnum(plan, message, index);
    case FieldKind::kMessage:
      return WriteObject(*plan.message, LoadMessage(plan, message, index));
    case FieldKind::kTimestamp:
      return WriteTimestamp(LoadTimestamp(plan, message, index));
  }
  return false;
}

bool Writer::WriteDouble(double value) {
  if (!std::isfinite(value)) {
    return Fail(Kind::kNotRepresentable, "a finite number",
                std::isnan(value) ? "NaN" : "an infinity");
  }
  AppendDouble(value, &out_);
  return true;
}

bool Writer::WriteFloat(float value) {
  if (!std::isfinite(value)) return WriteDouble(value);
  AppendFloat(value, &out_);
  return true;
}

bool Writer::WriteInteger(const FieldPlan& plan, const Message& message,
                          int index) {
  switch (plan.kind) {
    case FieldKind::kInt32:
      AppendInt64(LoadInt32(plan, message, index), &out_);
      return true;
    case FieldKind::kUInt32:
      AppendUInt64(LoadUInt32(plan, message, index), &out_);
      return true;
    case FieldKind::kUInt64:
      AppendUInt64(LoadUInt64(plan, message, index), &out_);
      return true;
    default:
      AppendInt64(LoadInt64(plan, message, index), &out_);
      return true;
  }
}

bool Writer::WriteText(std::string_view text) {
  if (!IsUtf8(text)) {
    return Fail(Kind::kNotRepresentable, "UTF-8", "other bytes");
  }
  AppendQuoted(text, &out_);
  return true;
}

bool Writer::WriteEnum(const FieldPlan& plan, const Message& message,
                       int index) {
  std::string name;
  int number = 0;
  if (!LoadEnum(plan, message, index, &name, &number)) {
    return Fail(Kind::kNotRepresentable, "an enum value with a name",
                absl::StrCat("number ", number));
  }
  AppendQuoted(name, &out_);
  return true;
}

bool Writer::WriteTimestamp(const UnixTime& time) {
  out_.push_back('"');
  if (!AppendRfc3339(time, &out_)) {
    return Fail(Kind::kNotRepresentable,
                "a time in years 1 to 9999, nanos from 0 to 999999999",
                absl::StrCat("seconds ", time.seconds, ", nanos ", time.nanos));
  }
  out_.push_back('"');
  return true;
}

}  // namespace

bool WriteDocument(const Message& message, const MessagePlan& plan,
                   std::string* out, Fault* fault) {
  Writer writer(out);
  if (writer.WriteObject(plan, message)) return true;
  *fault = std::move(*writer.mutable_fault());
  return false;
}

}  // namespace json_internal
}  // namespace tokenusage
