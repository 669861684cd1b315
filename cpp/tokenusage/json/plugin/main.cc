// protoc-gen-tokenusage-json: makes the tables by which messages are read and
// written as JSON. For x.proto it writes x.json.pb.h and x.json.pb.cc.
//
// A message that has no exact JSON form is an error that names the field.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "google/protobuf/compiler/code_generator.h"
#include "google/protobuf/compiler/cpp/names.h"
#include "google/protobuf/compiler/plugin.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/printer.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/message_plan.h"
#include "tokenusage/json/plugin/table_code.h"

namespace tokenusage {
namespace json_plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;
using google::protobuf::compiler::cpp::QualifiedClassName;
using google::protobuf::compiler::cpp::StripProto;

constexpr char kHeading[] =
    "// Made by protoc-gen-tokenusage-json from $0. Not to be edited.\n\n";

void AddMessage(const Descriptor* message,
                std::vector<const Descriptor*>* messages) {
  if (message->options().map_entry()) return;
  messages->push_back(message);
  for (int i = 0; i < message->nested_type_count(); ++i) {
    AddMessage(message->nested_type(i), messages);
  }
}

std::vector<const Descriptor*> MessagesOf(const FileDescriptor& file) {
  std::vector<const Descriptor*> messages;
  for (int i = 0; i < file.message_type_count(); ++i) {
    AddMessage(file.message_type(i), &messages);
  }
  return messages;
}

std::string BaseName(const FileDescriptor& file) {
  return StripProto(std::string(file.name()));
}

// The other files whose tables this one's refer to.
std::set<std::string> IncludesOf(const FileDescriptor& file) {
  std::set<std::string> includes;
  for (const Descriptor* message : MessagesOf(file)) {
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor* field = message->field(i);
      if (field->is_map()) field = field->message_type()->map_value();
      const Descriptor* const type = field->message_type();
      if (type == nullptr || type->file() == &file ||
          type->well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
        continue;
      }
      includes.insert(
          absl::StrCat("#include \"", BaseName(*type->file()), ".json.pb.h\""));
    }
  }
  return includes;
}

std::string HeaderCode(const FileDescriptor& file) {
  std::string guard = "TOKENUSAGE_JSON_TABLES_";
  for (const char c : BaseName(file)) {
    guard += absl::ascii_isalnum(static_cast<unsigned char>(c)) ? c : '_';
  }
  std::string code = absl::Substitute(kHeading, std::string(file.name()));
  absl::StrAppend(&code, "#ifndef ", guard, "\n#define ", guard,
                  "\n\n#include \"", BaseName(file), ".pb.h\"\n",
                  "#include \"tokenusage/json/message_table.h\"\n\n",
                  "namespace tokenusage {\nnamespace json_internal {\n\n");
  for (const Descriptor* message : MessagesOf(file)) {
    absl::StrAppend(&code, "template <>\nconst MessageTable TableOf<",
                    QualifiedClassName(message), ">::table;\n");
  }
  absl::StrAppend(&code, "\n}  // namespace json_internal\n",
                  "}  // namespace tokenusage\n\n#endif  // ", guard, "\n");
  return code;
}

absl::Status MakeSourceCode(const FileDescriptor& file, std::string* code) {
  *code = absl::Substitute(kHeading, std::string(file.name()));
  absl::StrAppend(code, "#include \"", BaseName(file), ".json.pb.h\"\n\n",
                  "#include <cstdint>\n#include <string_view>\n",
                  "#include <typeinfo>\n\n",
                  "#include \"google/protobuf/generated_enum_reflection.h\"\n",
                  "#include \"tokenusage/json/exact_shape.h\"\n");
  for (const std::string& include : IncludesOf(file)) {
    absl::StrAppend(code, include, "\n");
  }
  absl::StrAppend(code, "\nnamespace tokenusage {\n",
                  "namespace json_internal {\nnamespace {\n");
  int number = 0;
  for (const Descriptor* message : MessagesOf(file)) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckTableLimits(*message));
    TOKENUSAGE_ASSIGN_OR_RETURN(const json_internal::PlanHandle handle,
                                json_internal::GetMessagePlan(message));
    absl::StrAppend(
        code, TableCode(*message, *handle.plan, absl::StrCat("M", number++)));
  }
  absl::StrAppend(code, "\n}  // namespace\n}  // namespace json_internal\n",
                  "}  // namespace tokenusage\n");
  return absl::OkStatus();
}

void WriteFile(const std::string& name, const std::string& code,
               GeneratorContext* context) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> stream(
      context->Open(name));
  google::protobuf::io::Printer(stream.get(), '$').PrintRaw(code);
}

class TableGenerator : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const FileDescriptor* file, const std::string&,
                GeneratorContext* context, std::string* error) const override {
    std::string source;
    const absl::Status status = MakeSourceCode(*file, &source);
    if (!status.ok()) {
      *error = std::string(status.message());
      return false;
    }
    WriteFile(BaseName(*file) + ".json.pb.h", HeaderCode(*file), context);
    WriteFile(BaseName(*file) + ".json.pb.cc", source, context);
    return true;
  }

  std::uint64_t GetSupportedFeatures() const override {
    return FEATURE_PROTO3_OPTIONAL;
  }
};

}  // namespace
}  // namespace json_plugin
}  // namespace tokenusage

int main(int argc, char** argv) {
  const tokenusage::json_plugin::TableGenerator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
