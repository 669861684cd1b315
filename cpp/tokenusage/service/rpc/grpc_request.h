// SPDX-License-Identifier: Apache-2.0

// Presents a gRPC call to code that does not depend on the transport.
//
//   BinaryRequest request(*bytes);
//   auto caller = authorizer.Identify(OriginOf(*context));

#ifndef TOKENUSAGE_SERVICE_RPC_GRPC_REQUEST_H_
#define TOKENUSAGE_SERVICE_RPC_GRPC_REQUEST_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// A serialized message, possibly compressed with gzip.
//
// gRPC 1.51 would unpack all of it before checking the size, so it is told not
// to (transport_limits.cc), and passes the message on as it arrived.
class BinaryRequest final : public RequestMessage {
 public:
  // Shares the slices of `bytes`.
  explicit BinaryRequest(const grpc::ByteBuffer& bytes) : bytes_(bytes) {}

  absl::Status Unpack(std::size_t max_bytes) override;
  std::size_t size() const override { return bytes_.Length(); }
  const grpc::ByteBuffer& bytes() const { return bytes_; }
  int CountElements(
      const ::google::protobuf::FieldDescriptor& field) const override;
  absl::Status Parse(::google::protobuf::Message* message) const override;

 private:
  grpc::ByteBuffer bytes_;
};

// Returns the origin of a call. `context` must outlive it. Leaves out the
// certificate's names if there is an `authorization` header.
CallOrigin OriginOf(const grpc::CallbackServerContext& context);

// Returns the caller's deadline, and whether the call was cancelled. `context`
// must outlive them.
CallLimits LimitsOf(const grpc::CallbackServerContext& context);

// Serializes `response`.
grpc::ByteBuffer ToByteBuffer(const ::google::protobuf::Message& response);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_GRPC_REQUEST_H_
