// SPDX-License-Identifier: Apache-2.0

// The body of a request in JSON.
//
//   JsonRequest request(std::move(body), /*is_compressed=*/false);
//   TOKENUSAGE_RETURN_IF_ERROR(request.Unpack(1 << 20));
//   TOKENUSAGE_RETURN_IF_ERROR(request.Parse(&message));

#ifndef TOKENUSAGE_SERVICE_HTTP_JSON_REQUEST_H_
#define TOKENUSAGE_SERVICE_HTTP_JSON_REQUEST_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "tokenusage/service/rpc/unary_call.h"

namespace tokenusage {

// May have twice as many bytes as the binary encoding. A member that the
// message does not declare is an error: it may change what the request asks
// for.
class JsonRequest final : public RequestMessage {
 public:
  JsonRequest(std::string body, bool is_compressed)
      : body_(std::move(body)), is_compressed_(is_compressed) {}

  absl::Status Unpack(std::size_t max_bytes) override;
  std::size_t size() const override { return body_.size(); }
  int CountElements(
      const ::google::protobuf::FieldDescriptor& field) const override;
  absl::Status Parse(::google::protobuf::Message* message) const override;

 private:
  std::string body_;
  bool is_compressed_;
  std::size_t max_bytes_ = 0;  // in binary encoding
};

// Returns how many elements the field's array has in the outermost object of
// `json`, or more: 1 for an empty array, and also the elements of each array
// whose name is spelled with escapes.
int CountJsonElements(std::string_view json,
                      const ::google::protobuf::FieldDescriptor& field);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_JSON_REQUEST_H_
