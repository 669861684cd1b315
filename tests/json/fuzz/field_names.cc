// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/field_names.h"

#include "google/protobuf/descriptor.pb.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace testing {

std::string WireName(const ::google::protobuf::FieldDescriptor& field) {
  const std::string name = field.options().GetExtension(v1::wire_name);
  return name.empty() ? std::string(field.name()) : name;
}

std::string LowerCamelCase(const std::string& name) {
  std::string camel;
  bool after_underscore = false;
  for (const char c : name) {
    if (c == '_') {
      after_underscore = true;
      continue;
    }
    const bool is_lower = c >= 'a' && c <= 'z';
    camel +=
        after_underscore && is_lower ? static_cast<char>(c - 'a' + 'A') : c;
    after_underscore = false;
  }
  return camel;
}

bool IsRequired(const ::google::protobuf::FieldDescriptor& field) {
  return field.is_required() || field.options().GetExtension(v1::required);
}

bool IsTimestamp(const ::google::protobuf::Descriptor& type) {
  return type.full_name() == "google.protobuf.Timestamp";
}

}  // namespace testing
}  // namespace tokenusage
