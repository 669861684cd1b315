// SPDX-License-Identifier: Apache-2.0

// Requests as gRPC hands them over, into messages.

#ifndef TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_
#define TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace tokenusage {

// Parses `bytes` into `request`; REQUEST_MALFORMED. Thread-safe.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message* request);

// How often the message has the length-delimited field `number`, told without
// taking memory for them: a field of two bytes may become a message of two
// hundred. Counts up to where the bytes are not protobuf. Thread-safe.
int CountFields(const grpc::ByteBuffer& bytes, int number);

// The binary form of `response`. Thread-safe.
grpc::ByteBuffer ToByteBuffer(const google::protobuf::Message& response);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_
