// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/request_parsing.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpc/slice.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

using ::google::protobuf::internal::WireFormatLite;

}  // namespace

absl::Status ParseRequest(const grpc::ByteBuffer& bytes,
                          ::google::protobuf::Message* request) {
  // Reading consumes the buffer: a copy shares its slices.
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && request->ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
      absl::StrCat("the request: expected a ", request->GetTypeName(),
                   " in protobuf's binary form with text in UTF-8, found other "
                   "bytes; nothing was stored"));
}

int CountFields(const grpc::ByteBuffer& bytes, int number) {
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok()) return 0;
  ::google::protobuf::io::CodedInputStream in(&reader);
  const std::uint32_t wanted = WireFormatLite::MakeTag(
      number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  int count = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    if (tag == wanted) ++count;
    if (!WireFormatLite::SkipField(&in, tag)) break;
  }
  return count;
}

grpc::ByteBuffer ToByteBuffer(const ::google::protobuf::Message& response) {
  grpc_slice raw = grpc_slice_malloc(response.ByteSizeLong());
  static_cast<void>(
      response.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(raw)));
  const grpc::Slice slice(raw, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace tokenusage
