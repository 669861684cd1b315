// SPDX-License-Identifier: Apache-2.0

// Makes and checks the vectors of tests/interop/vectors, and reads those that
// other implementations wrote.
//
//   vectors make FOLDER
//     Writes NAME.binpb, .json and .values from NAME.txtpb.
//   vectors check FOLDER
//     Reads and writes all of them again, and looks for public messages without
//     a vector.
//   vectors read FOLDER WRITTEN
//     Reads WRITTEN/NAME.json, and .binpb if it exists.
//   vectors golden CASES FOLDER
//     Makes a vector of the case "full" of each file of tests/usage/testdata,
//     which sets every field of a provider's message.
//
// Prints the differences and exits with 1, or prints the number of vectors
// (golden prints nothing).

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "tests/interop/values.h"
#include "tests/usage/golden_cases.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/measures.pb.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::interop {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::TextFormat;

int failures = 0;

void Fail(std::string_view place, std::string_view expected,
          std::string_view found) {
  std::cerr << place << "\nexpected: " << expected << "\nfound:    " << found
            << "\n";
  ++failures;
}

void Expect(std::string_view place, std::string_view expected,
            std::string_view found) {
  if (expected != found) Fail(place, expected, found);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path, "a file", "none");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) Fail(path, "a file that can be written", "none");
}

struct Vector {
  std::string path;  // Without an extension.
  std::string name;
  std::unique_ptr<Message> message;
};

// The first line of a text file names its message's type.
constexpr std::string_view kTypeLine = "# proto-message: ";

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(
      MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// Reads the message of a text file.
std::unique_ptr<Message> ReadText(const std::string& path) {
  const std::string text = ReadFile(path);
  const std::string line = text.substr(0, text.find('\n'));
  const auto* type = DescriptorPool::generated_pool()->FindMessageTypeByName(
      line.substr(std::min(line.size(), kTypeLine.size())));
  if (type == nullptr) {
    Fail(path, "a first line '# proto-message: TYPE'", line);
    return nullptr;
  }
  std::unique_ptr<Message> message = NewMessage(type);
  if (!TextFormat::ParseFromString(text, message.get())) {
    Fail(path, "a message", "what protobuf says above");
  }
  return message;
}

std::vector<Vector> ReadVectors(const std::string& folder) {
  std::vector<Vector> vectors;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".txtpb") continue;
    Vector vector;
    vector.name = entry.path().stem().string();
    vector.path = absl::StrCat(folder, "/", vector.name);
    vector.message = ReadText(entry.path().string());
    if (vector.message != nullptr) vectors.push_back(std::move(vector));
  }
  return vectors;
}

std::string BinaryOf(const Message& message) {
  // Sorts the keys of maps, whose order is arbitrary otherwise: Check compares
  // bytes.
  std::string binary;
  ::google::protobuf::io::StringOutputStream stream(&binary);
  ::google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  static_cast<void>(message.SerializeToCodedStream(&coded));
  coded.Trim();
  return binary;
}

void Make(const Vector& vector) {
  const auto json = WriteJson(*vector.message);
  if (!json.ok()) {
    return Fail(vector.path, "a message with a JSON encoding",
                json.status().ToString());
  }
  WriteFile(vector.path + ".binpb", BinaryOf(*vector.message));
  WriteFile(vector.path + ".json", *json + "\n");
  WriteFile(vector.path + ".values", ValuesOf(*vector.message));
}

void ExpectJsonHolds(const std::string& path, const Vector& vector) {
  const std::unique_ptr<Message> read(vector.message->New());
  const absl::Status status = ParseJson(ReadFile(path), read.get());
  if (!status.ok()) return Fail(path, "JSON that is read", status.ToString());
  Expect(path, ValuesOf(*vector.message), ValuesOf(*read));
}

void ExpectBinaryHolds(const std::string& path, const Vector& vector) {
  const std::unique_ptr<Message> read(vector.message->New());
  if (!read->ParseFromString(ReadFile(path))) {
    return Fail(path, "a message", "other bytes");
  }
  Expect(path, ValuesOf(*vector.message), ValuesOf(*read));
}

void Check(const Vector& vector) {
  const std::string& path = vector.path;
  Expect(path + ".values", ReadFile(path + ".values"),
         ValuesOf(*vector.message));
  Expect(path + ".binpb", ReadFile(path + ".binpb"), BinaryOf(*vector.message));
  ExpectBinaryHolds(path + ".binpb", vector);
  const auto json = WriteJson(*vector.message);
  Expect(path + ".json", ReadFile(path + ".json"),
         json.ok() ? *json + "\n" : json.status().ToString());
  ExpectJsonHolds(path + ".json", vector);
}

std::vector<const FieldDescriptor*> UsageMembers() {
  const auto* oneof = v1::UsageRecord::descriptor()->FindOneofByName("usage");
  std::vector<const FieldDescriptor*> members;
  for (int i = 0; i < oneof->field_count(); ++i) {
    members.push_back(oneof->field(i));
  }
  return members;
}

// Writes the vector of a usage's golden case "full" to the folder.
void MakeGolden(const FieldDescriptor* member, const std::string& cases_folder,
                const std::string& folder) {
  const std::string path =
      absl::StrCat(cases_folder, "/", member->name(), ".txtpb");
  testing::GoldenCases cases;
  if (!TextFormat::ParseFromString(ReadFile(path), &cases)) {
    return Fail(path, "golden cases", "what protobuf says above");
  }
  for (const testing::GoldenCase& golden : cases.cases()) {
    if (golden.name() != "full") continue;
    Vector vector;
    vector.name = std::string(member->name());
    vector.path = absl::StrCat(folder, "/", vector.name);
    vector.message = NewMessage(member->message_type());
    const absl::Status status = ParseJson(golden.json(), vector.message.get());
    if (!status.ok()) return Fail(path, "a usage", status.ToString());
    std::string text;
    if (!TextFormat::PrintToString(*vector.message, &text)) {
      Fail(vector.path, "a message that prints as text", "another");
    }
    WriteFile(vector.path + ".txtpb",
              std::string(kTypeLine) +
                  std::string(member->message_type()->full_name()) + "\n" +
                  text);
    return Make(vector);
  }
  Fail(path, "a case \"full\"", "none");
}

// Checks that every message of the service has a vector. The providers' usages
// need none: the command golden makes theirs.
void CheckComplete(const std::vector<Vector>& vectors) {
  std::set<std::string> covered;
  for (const Vector& vector : vectors) {
    covered.emplace(vector.message->GetDescriptor()->full_name());
  }
  for (const FieldDescriptor* member : UsageMembers()) {
    covered.emplace(member->message_type()->full_name());
  }
  for (const FileDescriptor* file :
       {v1::TokenUsage::descriptor()->file(),
        v1::UsageRecord::descriptor()->file(),
        v1::ReportUsageRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const std::string name(file->message_type(i)->full_name());
      if (covered.count(name) == 0) Fail(name, "a vector", "none");
    }
  }
}

void Read(const Vector& vector, const std::string& written) {
  const std::string path = absl::StrCat(written, "/", vector.name);
  ExpectJsonHolds(path + ".json", vector);
  if (std::filesystem::exists(path + ".binpb")) {
    ExpectBinaryHolds(path + ".binpb", vector);
  }
}

int Main(const std::vector<std::string>& args) {
  const std::string command = args.empty() ? "" : args[0];
  const bool has_two_folders = command == "read" || command == "golden";
  if (args.size() != (has_two_folders ? 3 : 2)) {
    std::cerr << "usage: vectors make|check FOLDER, read FOLDER WRITTEN, or "
                 "golden CASES FOLDER\n";
    return 64;
  }
  if (command == "golden") {
    for (const FieldDescriptor* member : UsageMembers()) {
      MakeGolden(member, args[1], args[2]);
    }
    return failures == 0 ? 0 : 1;
  }
  const std::vector<Vector> vectors = ReadVectors(args[1]);
  if (vectors.empty()) Fail(args[1], "vectors", "none");
  for (const Vector& vector : vectors) {
    if (command == "make") Make(vector);
    if (command == "check") Check(vector);
    if (command == "read") Read(vector, args[2]);
  }
  if (command == "check") CheckComplete(vectors);
  if (failures == 0) std::cout << vectors.size() << " vectors\n";
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tokenusage::interop

int main(int argc, char** argv) {
  return tokenusage::interop::Main({argv + 1, argv + argc});
}
