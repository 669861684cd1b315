// SPDX-License-Identifier: Apache-2.0

// The messages that --message may name.

#ifndef TOKENUSAGE_CLI_MESSAGE_TYPES_H_
#define TOKENUSAGE_CLI_MESSAGE_TYPES_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace tokenusage {

// The message with that full name, or, where only one has it, that last part:
// "tokenusage.v1.UsageRecord" or "UsageRecord". The prototype lives forever.
//
// Errors: INVALID_ARGUMENT, listing the names there are.
absl::StatusOr<const google::protobuf::Message*> FindMessageType(
    std::string_view name);

// The field of UsageRecord's oneof `usage` that holds such messages.
//
// Errors: INVALID_ARGUMENT where there is none, listing those there are.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FindUsageField(
    std::string_view message_name);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_MESSAGE_TYPES_H_
