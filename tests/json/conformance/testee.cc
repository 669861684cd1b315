// SPDX-License-Identifier: Apache-2.0
//
// The program that protobuf's conformance test runner tests. Reads requests
// from stdin and answers them on stdout: with the result of //:json, or
// "skipped" if a request is not about JSON. The argument is the folder of
// .proto files that conformance_protos.py made.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "google/protobuf/compiler/importer.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::compiler::DiskSourceTree;
using ::google::protobuf::compiler::Importer;

const FieldDescriptor* Field(const Message& message, const char* name) {
  return message.GetDescriptor()->FindFieldByName(name);
}
bool Has(const Message& message, const char* name) {
  return message.GetReflection()->HasField(message, Field(message, name));
}
std::string Text(const Message& message, const char* name) {
  return message.GetReflection()->GetString(message, Field(message, name));
}
int Number(const Message& message, const char* name) {
  return message.GetReflection()->GetEnumValue(message, Field(message, name));
}

// Returns whether the payload has fields that conformance_protos.py left out:
// their names and numbers are reserved.
bool IsAboutReserved(const std::string& json, const Descriptor& type) {
  for (int i = 0; i < type.reserved_name_count(); ++i) {
    const std::string quoted = "\"" + std::string(type.reserved_name(i)) + "\"";
    if (json.find(quoted) != std::string::npos) return true;
  }
  return false;
}
bool IsAboutReserved(const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (message.GetDescriptor()->IsReservedNumber(unknown.field(i).number())) {
      return true;
    }
  }
  return false;
}

class Testee {
 public:
  explicit Testee(const std::string& folder) : importer_(&sources_, nullptr) {
    sources_.MapPath("", folder);
    sources_.MapPath("", "/usr/include");
    for (const char* const file :
         {"conformance/conformance.proto",
          "google/protobuf/test_messages_proto3.proto"}) {
      if (importer_.Import(file) == nullptr) {
        std::cerr << "cannot read " << folder << "/" << file << "\n";
        std::exit(1);
      }
    }
  }

  std::string Answer(const std::string& request_bytes) {
    const auto request = New("conformance.ConformanceRequest");
    const auto response = New("conformance.ConformanceResponse");
    if (request == nullptr || response == nullptr ||
        !request->ParseFromString(request_bytes)) {
      return "";
    }
    const auto [field, text] = Result(*request);
    response->GetReflection()->SetString(response.get(),
                                         Field(*response, field), text);
    return response->SerializeAsString();
  }

 private:
  struct Outcome {
    const char* field;
    std::string text;
  };

  std::unique_ptr<Message> New(const std::string& type) {
    const Descriptor* const descriptor =
        importer_.pool()->FindMessageTypeByName(type);
    if (descriptor == nullptr) return nullptr;
    return std::unique_ptr<Message>(factory_.GetPrototype(descriptor)->New());
  }

  Outcome Result(const Message& request) {
    constexpr int kProtobuf = 1, kJson = 2, kIgnoreUnknown = 3;
    const int output = Number(request, "requested_output_format");
    const auto message = New(Text(request, "message_type"));
    const bool from_json = Has(request, "json_payload");
    if (message == nullptr || (output != kProtobuf && output != kJson) ||
        (!from_json && !Has(request, "protobuf_payload")) ||
        (!from_json && output != kJson)) {
      return {"skipped", "not about JSON, or not a message of proto3"};
    }
    if (from_json) {
      if (IsAboutReserved(Text(request, "json_payload"),
                          *message->GetDescriptor())) {
        return {"skipped", "not a supported type"};
      }
      JsonParseOptions options;
      options.strict = Number(request, "test_category") != kIgnoreUnknown;
      const absl::Status status =
          ParseJson(Text(request, "json_payload"), message.get(), options);
      if (!status.ok()) return {"parse_error", std::string(status.message())};
    } else if (!message->ParseFromString(Text(request, "protobuf_payload"))) {
      return {"parse_error", "not a message in binary"};
    } else if (IsAboutReserved(*message)) {
      return {"skipped", "not a supported type"};
    }
    if (output == kProtobuf) {
      return {"protobuf_payload", message->SerializeAsString()};
    }
    const absl::StatusOr<std::string> json = WriteJson(*message);
    if (json.ok()) return {"json_payload", *json};
    return {"serialize_error", std::string(json.status().message())};
  }

  DiskSourceTree sources_;
  Importer importer_;
  ::google::protobuf::DynamicMessageFactory factory_;
};

// Reads a request. Before each request and answer stands its size in bytes, as
// four bytes, little-endian. Returns false at the end of the input.
bool ReadRequest(std::string* request) {
  unsigned char bytes[4];
  if (std::fread(bytes, 1, 4, stdin) != 4) return false;
  std::uint32_t size = 0;
  for (int i = 3; i >= 0; --i) size = size << 8 | bytes[i];
  request->resize(size);
  return std::fread(request->data(), 1, size, stdin) == size;
}

void WriteAnswer(const std::string& answer) {
  for (std::size_t i = 0; i < 4; ++i) {
    std::putchar(static_cast<int>(answer.size() >> (8 * i) & 0xFF));
  }
  std::fwrite(answer.data(), 1, answer.size(), stdout);
  std::fflush(stdout);
}

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: testee FOLDER\n";
    return 2;
  }
  tokenusage::Testee testee(argv[1]);
  std::string request;
  while (tokenusage::ReadRequest(&request)) {
    tokenusage::WriteAnswer(testee.Answer(request));
  }
  return 0;
}
