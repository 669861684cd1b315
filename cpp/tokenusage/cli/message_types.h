// SPDX-License-Identifier: Apache-2.0

// Finds the messages that --message may name.

#ifndef TOKENUSAGE_CLI_MESSAGE_TYPES_H_
#define TOKENUSAGE_CLI_MESSAGE_TYPES_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace tokenusage {

// Finds a message by its full name, "tokenusage.openai.v1.ChatUsage", or by the
// end of it after a dot if that is unique: "openai.v1.ChatUsage". The prototype
// lives forever.
//
// Errors: INVALID_ARGUMENT, listing those that match if several do.
absl::StatusOr<const ::google::protobuf::Message*> FindMessageType(
    std::string_view name);

// Finds the field of UsageRecord's oneof `usage` that holds this message, which
// is named in the same way.
//
// Errors: INVALID_ARGUMENT, listing those that match if several do.
absl::StatusOr<const ::google::protobuf::FieldDescriptor*> FindUsageField(
    std::string_view message_name);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_MESSAGE_TYPES_H_
