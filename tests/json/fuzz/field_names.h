// SPDX-License-Identifier: Apache-2.0
//
// The names of fields in JSON by the rules of docs/json.md, for tests.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_FIELD_NAMES_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_FIELD_NAMES_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace tokenusage {
namespace testing {

// Returns the option (tokenusage.v1.wire_name), or the .proto name.
std::string WireName(const ::google::protobuf::FieldDescriptor& field);

// Returns totalTokens for total_tokens.
std::string LowerCamelCase(const std::string& name);

// Returns whether the field has (tokenusage.v1.required) or proto2's label.
bool IsRequired(const ::google::protobuf::FieldDescriptor& field);

bool IsTimestamp(const ::google::protobuf::Descriptor& type);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_FIELD_NAMES_H_
