// SPDX-License-Identifier: Apache-2.0
//
// Writes a message as JSON. All rules of writing are here.
//
//   Writer<false> writer(&out, nullptr);
//   if (!writer.WriteDocument(GeneratedTable<Usage>(), usage)) ...
//
// Like the reader's, the rules are templates over the way a message's fields
// are reached, and Writer<true> also describes the first violation.

#ifndef TOKENUSAGE_JSON_INTERNAL_WRITER_H_
#define TOKENUSAGE_JSON_INTERNAL_WRITER_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "tokenusage/json/internal/field_kind.h"
#include "tokenusage/json/internal/number_writer.h"
#include "tokenusage/json/internal/reader.h"
#include "tokenusage/json/internal/text_values.h"
#include "tokenusage/json/internal/violation.h"

namespace tokenusage {
namespace json_internal {

// Writes one document. Functions take the position in the buffer at which they
// start to write, and return the one after what they wrote; null for an error.
template <bool kExplain>
class Writer {
 public:
  // Appends to `out`. On an error, the caller must discard what was appended.
  // Describes the first violation in `*violation` if kExplain; otherwise
  // `violation` is not used.
  Writer(std::string* out, Violation* violation)
      : out_(*out), violation_(violation) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Returns false if there is a violation.
  template <typename Table>
  bool WriteDocument(const Table& table,
                     const typename Table::Message& message) {
    char* const end = WriteObject(buffer_, table, message);
    if (end == nullptr) return false;
    Flush(end);
    return true;
  }

 private:
  using Kind = JsonError::Kind;

  // The bytes that may be written without checking for the buffer's end: a
  // number, and what precedes it.
  static constexpr std::size_t kRoom = 128;
  static constexpr std::size_t kMaxShortName = kRoom - kNumberRoom - 8;

  char* Fail(Kind kind, std::string_view expected, std::string_view found) {
    if constexpr (kExplain) {
      violation_->kind = kind;
      violation_->expected = expected;
      violation_->found = found;
    }
    return nullptr;
  }
  char* Within(const PathStep& step) {
    violation_->path.push_back(step);
    return nullptr;
  }

  // Makes room for `size` bytes, at most kRoom.
  char* Room(char* p, std::size_t size = kRoom) {
    if (static_cast<std::size_t>(buffer_ + sizeof(buffer_) - p) >= size) {
      return p;
    }
    return Flush(p);
  }
  char* Flush(char* p) {
    out_.append(buffer_, static_cast<std::size_t>(p - buffer_));
    return buffer_;
  }
  char* Put(char* p, std::string_view text) {
    if (text.size() > kRoom) {
      Flush(p);
      out_.append(text);
      return buffer_;
    }
    p = Room(p);
    std::memcpy(p, text.data(), text.size());
    return p + text.size();
  }

  // Puts a name for which Room was called, and leaves room for a number.
  TOKENUSAGE_INLINE char* PutName(char* p, std::string_view name) {
    if (name.size() > kMaxShortName) return Room(Put(p, name));
    std::memcpy(p, name.data(), name.size());
    return p + name.size();
  }

  char* FailDepth() {
    return Fail(Kind::kTooDeep, "at most 100 levels of nesting", "one more");
  }
  char* Enter(char* p, char open) {
    if (depth_ == kMaxDepth) return FailDepth();
    ++depth_;
    p = Room(p);
    *p = open;
    return p + 1;
  }
  char* Leave(char* p, char close) {
    --depth_;
    p = Room(p);
    *p = close;
    return p + 1;
  }

  template <typename Table>
  char* WriteObject(char* p, const Table& table,
                    const typename Table::Message& message);
  template <typename Field, typename Message>
  char* WriteField(char* p, const Field& field, const Message& message);
  template <FieldShape kShape, typename Field, typename Message>
  char* WriteShape(char* p, const Field& field, const Message& message);
  template <typename Field, typename Message>
  char* WriteArray(char* p, const Field& field, const Message& message);
  template <typename Field, typename Message>
  char* WriteMap(char* p, const Field& field, const Message& message);
  // Writes a value of the type that belongs to the kind. The caller must have
  // made room for a number.
  template <FieldKind kKind, typename Field, typename Value>
  char* WriteValue(char* p, const Field& field, const Value& value);
  char* WriteNumber(char* p, double value) {
    char* const end = PutDouble(value, p);
    return end != nullptr ? end : FailNumber(value);
  }
  char* WriteNumber(char* p, float value) {
    char* const end = PutFloat(value, p);
    return end != nullptr ? end : FailNumber(value);
  }
  char* WriteNumber(char* p, std::int32_t value) {
    return PutInteger(std::int64_t{value}, p);
  }
  char* WriteNumber(char* p, std::int64_t value) {
    return PutInteger(value, p);
  }
  char* WriteNumber(char* p, std::uint32_t value) {
    return PutInteger(std::uint64_t{value}, p);
  }
  char* WriteNumber(char* p, std::uint64_t value) {
    return PutInteger(value, p);
  }
  char* WriteText(char* p, std::string_view text);
  char* WriteBytes(char* p, std::string_view bytes);
  char* WriteEnum(char* p, std::string_view name, int number);
  char* WriteTime(char* p, const UnixTime& time);
  char* FailNumber(double value);

  std::string& out_;
  Violation* const violation_;
  int depth_ = 0;
  char buffer_[1024];
};

extern template class Writer<false>;
extern template class Writer<true>;

// ---------------------------------------------------------------------------
// Implementation only below this line.
// ---------------------------------------------------------------------------

template <bool kExplain>
template <typename Table>
char* Writer<kExplain>::WriteObject(char* p, const Table& table,
                                    const typename Table::Message& message) {
  if (depth_ == kMaxDepth) return FailDepth();
  ++depth_;
  char separator = '{';
  const bool complete = table.ForEach([&](const auto& field) TOKENUSAGE_LAMBDA {
    if (!field.IsWritten(message)) {
      if (!field.required()) return true;
      Fail(Kind::kMissingField, "this required field",
           "a message where it is not set");
      p = nullptr;
    } else {
      p = Room(p);
      *p = separator;
      separator = ',';
      p = WriteField(PutName(p + 1, field.quoted()), field, message);
    }
    if (p != nullptr) return true;
    if constexpr (kExplain) Within(PathStep::Field(field.wire_name()));
    return false;
  });
  if (!complete) return nullptr;
  p = Room(p);
  if (separator == '{') *p++ = '{';
  *p = '}';
  --depth_;
  return p + 1;
}

template <bool kExplain>
template <typename Field, typename Message>
TOKENUSAGE_INLINE char* Writer<kExplain>::WriteField(char* p,
                                                     const Field& field,
                                                     const Message& message) {
  return WithShape(field, [&](auto shape) {
    return WriteShape<decltype(shape)::value>(p, field, message);
  });
}

// A separate function for clang: see Reader::ReadShape.
template <bool kExplain>
template <FieldShape kShape, typename Field, typename Message>
TOKENUSAGE_INLINE char* Writer<kExplain>::WriteShape(char* p,
                                                     const Field& field,
                                                     const Message& message) {
  if constexpr (kShape == FieldShape::kRepeated) {
    return WriteArray(p, field, message);
  } else if constexpr (kShape == FieldShape::kMap) {
    return WriteMap(p, field, message);
  } else {
    return WithKind(field, [&](auto kind) {
      return field.template WithValue<kind.value>(
          message, [&](const auto& value) {
            return WriteValue<kind.value>(p, field, value);
          });
    });
  }
}

template <bool kExplain>
template <typename Field, typename Message>
char* Writer<kExplain>::WriteArray(char* p, const Field& field,
                                   const Message& message) {
  p = Enter(p, '[');
  const int size = field.Size(message);
  for (int i = 0; i < size && p != nullptr; ++i) {
    p = Room(p);
    if (i > 0) *p++ = ',';
    p = WithKind(field, [&](auto kind) {
      return field.template WithElement<kind.value>(
          message, i, [&](const auto& value) {
            return WriteValue<kind.value>(p, field, value);
          });
    });
    if constexpr (kExplain) {
      if (p == nullptr) Within(PathStep::Index(static_cast<std::size_t>(i)));
    }
  }
  return p == nullptr ? nullptr : Leave(p, ']');
}

template <bool kExplain>
template <typename Field, typename Message>
char* Writer<kExplain>::WriteMap(char* p, const Field& field,
                                 const Message& message) {
  p = Enter(p, '{');
  if (p == nullptr) return nullptr;
  bool first = true;
  for (const auto& [key, entry] : field.SortedEntries(message)) {
    if (!first) p = Put(p, ",");
    first = false;
    p = WriteText(p, key);
    if (p != nullptr) {
      p = Room(Put(p, ":"));
      // C++17's lambdas cannot capture a structured binding.
      const auto& value_entry = entry;
      p = WithKind(field, [&](auto kind) {
        return field.template WithMapValue<kind.value>(
            value_entry, [&](const auto& value) {
              return WriteValue<kind.value>(p, field, value);
            });
      });
    }
    if (p == nullptr) {
      if constexpr (kExplain) Within(PathStep::Key(key));
      return nullptr;
    }
  }
  return Leave(p, '}');
}

template <bool kExplain>
template <FieldKind kKind, typename Field, typename Value>
TOKENUSAGE_INLINE char* Writer<kExplain>::WriteValue(char* p,
                                                     const Field& field,
                                                     const Value& value) {
  if constexpr (kKind == FieldKind::kMessage) {
    return WriteObject(p, field.table(), value);
  } else if constexpr (kKind == FieldKind::kString) {
    return WriteText(p, value);
  } else if constexpr (kKind == FieldKind::kBytes) {
    return WriteBytes(p, value);
  } else if constexpr (kKind == FieldKind::kEnum) {
    return WriteEnum(p, field.enum_names().FindName(value), value);
  } else if constexpr (kKind == FieldKind::kTimestamp) {
    return WriteTime(p, value);
  } else if constexpr (kKind == FieldKind::kBool) {
    return Put(p, value ? std::string_view("true") : std::string_view("false"));
  } else {
    return WriteNumber(p, value);
  }
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_WRITER_H_
