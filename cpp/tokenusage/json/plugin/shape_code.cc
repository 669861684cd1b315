#include "tokenusage/json/plugin/shape_code.h"

#include <cstddef>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "google/protobuf/compiler/cpp/names.h"
#include "tokenusage/json/message_table.h"
#include "tokenusage/json/number_writer.h"

namespace tokenusage {
namespace json_plugin {
namespace {

using google::protobuf::compiler::cpp::FieldName;
using json_internal::FieldKind;
using json_internal::FieldPlan;
using json_internal::FieldShape;
using json_internal::MessagePlan;

// Beyond these the code would be long, and such a document rare.
constexpr int kMaxDepth = 8;

// Collects a document's pieces and the code for each of its messages and
// numbers, in the document's order.
class ShapeBuilder {
 public:
  // False where the message has no exact shape.
  bool Add(const MessagePlan& plan, const std::string& self, int depth = 0) {
    if (depth == kMaxDepth || plan.fields.empty() ||
        plan.fields[0].field->containing_type()->extension_range_count() > 0) {
      return false;
    }
    // Clear would give up the memory of messages in it: they are held aside.
    for (const FieldPlan& field : plan.fields) {
      if (field.kind != FieldKind::kMessage) continue;
      const std::string name = FieldName(field.field);
      absl::StrAppend(&set_, "  auto* ", self, "_", name, " = ", self,
                      "->unsafe_arena_release_", name, "();\n");
    }
    absl::StrAppend(&set_, "  ", self, "->Clear();\n");
    char separator = '{';
    for (const FieldPlan& field : plan.fields) {
      literal_ += separator;
      literal_ += field.prefix;
      separator = ',';
      if (depth == 0) first_numbers_.push_back(numbers_);
      if (!AddField(field, self, depth)) return false;
    }
    literal_ += '}';
    return true;
  }

  std::string ReadFunctions(const std::string& alias) const {
    return absl::Substitute(R"(
__attribute__((always_inline)) inline void Set$0(Message* message,
                                                  const double* numbers) {
  auto* const m = static_cast<$0*>(message);
$4}

template <bool kPadded>
const char* Read$0(const char* p, const char* end, bool line,
                   Message* message) {
  ShapeReader<kPadded> in(p, end);
  double numbers[$1];
  if ($2"$3") || !in.AtEnd(line)) {
    return nullptr;
  }
  Set$0(message, numbers);
  return in.position();
}
)",
                            alias, numbers_, take_, absl::CEscape(literal_),
                            set_);
  }

  std::string WriteFunction(const std::string& alias) const {
    return absl::Substitute(R"(
char* Write$0(const Message& message, char* out) {
  const auto& m = static_cast<const $0&>(message);
$1$2  return PutLiteral("$3", out);
}
)",
                            alias, check_, put_, absl::CEscape(literal_));
  }

  std::size_t room() const {
    return literal_bytes_ + literal_.size() +
           static_cast<std::size_t>(numbers_) * json_internal::kNumberRoom;
  }

  const std::vector<int>& first_numbers() const { return first_numbers_; }

 private:
  bool AddField(const FieldPlan& field, const std::string& self, int depth) {
    if (field.shape != FieldShape::kSingular ||
        field.field->real_containing_oneof() != nullptr) {
      return false;
    }
    const std::string name = FieldName(field.field);
    if (field.has_presence) {
      absl::StrAppend(&check_, "  if (!", self, ".has_", name,
                      "()) return nullptr;\n");
    }
    if (field.kind == FieldKind::kMessage) {
      const std::string part = absl::StrCat(self, "_", name);
      absl::StrAppend(&set_, "  if (", part, " != nullptr) {\n    ", self,
                      "->unsafe_arena_set_allocated_", name, "(", part,
                      ");\n  } else {\n    ", part, " = ", self, "->mutable_",
                      name, "();\n  }\n");
      absl::StrAppend(&check_, "  const auto& ", part, " = ", self, ".", name,
                      "();\n");
      return Add(*field.message, part, depth + 1);
    }
    if (field.kind != FieldKind::kDouble ||
        numbers_ == json_internal::kMaxShapeNumbers) {
      return false;
    }
    AddNumber(self, name);
    return true;
  }

  void AddNumber(const std::string& self, const std::string& name) {
    const std::string literal = absl::CEscape(literal_);
    const std::string number = absl::StrCat("numbers[", numbers_++, "]");
    literal_bytes_ += literal_.size();
    literal_.clear();
    // The call that ends with the next literal.
    absl::StrAppend(&take_, take_.empty() ? "!in.Take(" : "", "\"", literal,
                    "\") ||\n      !in.TakeDouble(&", number, ", ");
    absl::StrAppend(&set_, "  ", self, "->set_", name, "(", number, ");\n");
    absl::StrAppend(&put_, "  out = PutDouble(", self, ".", name,
                    "(), PutLiteral(\"", literal, "\", out));\n",
                    "  if (out == nullptr) return nullptr;\n");
  }

  std::string literal_;  // since the last number
  std::size_t literal_bytes_ = 0;
  int numbers_ = 0;
  std::vector<int> first_numbers_;
  std::string take_, set_, check_, put_;
};

}  // namespace

ShapeCode MakeShapeCode(const MessagePlan& plan, const std::string& alias) {
  ShapeBuilder builder;
  if (!builder.Add(plan, "m")) {
    return {"", "{nullptr, nullptr, nullptr, nullptr, 0}",
            std::vector<int>(plan.fields.size())};
  }
  return {builder.ReadFunctions(alias) + builder.WriteFunction(alias),
          absl::Substitute("{Read$0<false>, Read$0<true>, Set$0, Write$0, $1}",
                           alias, builder.room()),
          builder.first_numbers()};
}

}  // namespace json_plugin
}  // namespace tokenusage
