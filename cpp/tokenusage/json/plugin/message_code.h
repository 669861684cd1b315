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

// Returns the message's specialization of JsonFields. FAILED_PRECONDITION, with
// an error that names the field or the message, if the message cannot be mapped
// to JSON or has too many fields or oneofs, or if its class lacks the accessors
// that the code would call.
absl::StatusOr<std::string> MessageCode(
    const ::google::protobuf::Descriptor& message);

}  // namespace json_plugin
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PLUGIN_MESSAGE_CODE_H_
