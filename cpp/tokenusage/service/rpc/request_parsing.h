// SPDX-License-Identifier: Apache-2.0

// Converts between gRPC's byte buffers and messages. All functions are
// thread-safe.

#ifndef TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_
#define TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace tokenusage {

// Parses `bytes` into `request`; REQUEST_MALFORMED.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes,
                          ::google::protobuf::Message* request);

// Returns how often the message has the length-delimited field `number`,
// without allocating memory for them: a field of two bytes may become a message
// of two hundred. Stops counting at the first byte that is not protobuf.
int CountFields(const grpc::ByteBuffer& bytes, int number);

// Serializes `response`.
grpc::ByteBuffer ToByteBuffer(const ::google::protobuf::Message& response);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_REQUEST_PARSING_H_
