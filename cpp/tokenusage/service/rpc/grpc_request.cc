// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/grpc_request.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpc/grpc_security_constants.h"
#include "grpc/slice.h"
#include "grpcpp/security/auth_context.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/service/rpc/gzip.h"
#include "tokenusage/service/rpc/request_checks.h"

namespace tokenusage {
namespace {

using ::google::protobuf::internal::WireFormatLite;

std::string_view ViewOf(const grpc::string_ref& text) {
  return std::string_view(text.data(), text.size());
}

std::string_view ViewOf(const grpc::Slice& slice) {
  return std::string_view(reinterpret_cast<const char*>(slice.begin()),
                          slice.size());
}

}  // namespace

absl::Status BinaryRequest::Unpack(std::size_t max_bytes) {
  std::vector<grpc::Slice> slices;
  // No message in binary encoding starts like gzip: that would be a field of
  // wire type 7, which does not exist.
  if (!bytes_.Dump(&slices).ok() || slices.empty() ||
      !StartsLikeGzip(ViewOf(slices.front()))) {
    return size() <= max_bytes ? absl::OkStatus()
                               : RequestTooLargeError(max_bytes, size());
  }
  GzipReader reader(max_bytes);
  for (const grpc::Slice& slice : slices) {
    TOKENUSAGE_RETURN_IF_ERROR(reader.Add(ViewOf(slice)));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string unpacked, reader.Finish());
  const grpc::Slice slice(unpacked);
  bytes_ = grpc::ByteBuffer(&slice, 1);
  return absl::OkStatus();
}

int BinaryRequest::CountElements(
    const ::google::protobuf::FieldDescriptor& field) const {
  // Reading consumes the buffer: a copy shares its slices.
  grpc::ByteBuffer copy(bytes_);
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok()) return 0;
  ::google::protobuf::io::CodedInputStream in(&reader);
  const std::uint32_t wanted = WireFormatLite::MakeTag(
      field.number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  int count = 0;
  while (const std::uint32_t tag = in.ReadTag()) {
    if (tag == wanted) ++count;
    if (!WireFormatLite::SkipField(&in, tag)) break;
  }
  return count;
}

absl::Status BinaryRequest::Parse(::google::protobuf::Message* message) const {
  grpc::ByteBuffer copy(bytes_);
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return NotBinaryError(*message);
}

CallOrigin OriginOf(const grpc::CallbackServerContext& context) {
  CallOrigin origin;
  origin.peer = context.peer();
  const auto [first, last] =
      context.client_metadata().equal_range("authorization");
  for (auto value = first; value != last; ++value) {
    origin.authorization.push_back(ViewOf(value->second));
  }
  // Only what the TLS handshake has verified: other code of the process could
  // add a property of the same name to a plain-text connection.
  const auto connection = context.auth_context();
  if (!origin.authorization.empty() || !connection->IsPeerAuthenticated()) {
    return origin;
  }
  std::vector<std::string>& names = origin.certificate_names.emplace();
  for (const auto& [property, scheme] :
       {std::pair(GRPC_PEER_URI_PROPERTY_NAME, "uri:"),
        std::pair(GRPC_PEER_DNS_PROPERTY_NAME, "dns:"),
        std::pair(GRPC_X509_CN_PROPERTY_NAME, "cn:")}) {
    for (const grpc::string_ref& value :
         connection->FindPropertyValues(property)) {
      names.push_back(absl::StrCat(scheme, ToAbsl(ViewOf(value))));
    }
  }
  return origin;
}

CallLimits LimitsOf(const grpc::CallbackServerContext& context) {
  CallLimits limits;
  const auto deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) {
    limits.deadline = absl::FromChrono(deadline);
  }
  limits.is_cancelled = [&context] { return context.IsCancelled(); };
  return limits;
}

grpc::ByteBuffer ToByteBuffer(const ::google::protobuf::Message& response) {
  grpc_slice raw = grpc_slice_malloc(response.ByteSizeLong());
  static_cast<void>(
      response.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(raw)));
  const grpc::Slice slice(raw, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace tokenusage
