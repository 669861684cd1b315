// SPDX-License-Identifier: Apache-2.0
//
// Generates the C++ code that describes a message to the JSON reader and writer
// (tokenusage/json/internal/generated_message.h).

#ifndef TOKENUSAGE_JSON_PLUGIN_MESSAGE_CODE_H_
#define TOKENUSAGE_JSON_PLUGIN_MESSAGE_CODE_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace tokenusage {
namespace json_plugin {

// Returns the message's list of fields. FAILED_PRECONDITION, with a message
// that names the field, if the message cannot be mapped to JSON or if its class
// lacks the accessors that the code would call.
absl::StatusOr<std::string> MessageCode(
    const ::google::protobuf::Descriptor& message);

}  // namespace json_plugin
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PLUGIN_MESSAGE_CODE_H_
