// SPDX-License-Identifier: Apache-2.0

// A unary call, whatever its transport.
//
//   absl::Status status = call->request()->Unpack(kMaxReadRequestBytes);
//   if (status.ok()) status = call->request()->Parse(&request);
//   if (status.ok()) status = call->Encode(AnswerTo(request)).status();
//   if (!status.ok()) return call->FinishWithError(status, pushback);
//   call->Finish(/*held=*/nullptr);

#ifndef TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_
#define TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// The message of a request as it arrived: in any encoding, perhaps compressed.
// Not thread-safe.
class RequestMessage {
 public:
  virtual ~RequestMessage() = default;

  // Uncompresses the message. Does nothing if it is not compressed.
  //
  // Errors: INVALID_ARGUMENT with REQUEST_TOO_LARGE if the message has more
  // than `max_bytes` in binary encoding, without unpacking more than about
  // that; REQUEST_MALFORMED. An encoding that is longer than the binary one may
  // have more bytes, in proportion.
  virtual absl::Status Unpack(std::size_t max_bytes) = 0;

  // Returns the message's size in its encoding.
  virtual std::size_t size() const = 0;

  // Returns how many elements the repeated field has, without allocating memory
  // for them: a field of two bytes may become a message of two hundred. May
  // return fewer if the message is too small to matter.
  virtual int CountElements(
      const ::google::protobuf::FieldDescriptor& field) const = 0;

  // Parses the message. Errors: INVALID_ARGUMENT with REQUEST_MALFORMED, or
  // with REQUEST_TOO_LARGE, as above.
  virtual absl::Status Parse(::google::protobuf::Message* message) const = 0;
};

// Exists until it is finished, which must happen exactly once, on any thread.
// Not thread-safe otherwise.
class UnaryCall {
 public:
  virtual CallOrigin origin() const = 0;

  // Returns the caller's deadline, and whether the call was cancelled. They are
  // valid until the call is finished.
  virtual CallLimits limits() const = 0;

  virtual RequestMessage* request() = 0;

  // Encodes the answer, and returns its size. Errors: INTERNAL if `response`
  // cannot be encoded.
  virtual absl::StatusOr<std::size_t> Encode(
      const ::google::protobuf::Message& response) = 0;

  // Finishes the call with the encoded answer. Keeps `held` until the answer
  // has been written or given up.
  virtual void Finish(std::shared_ptr<void> held) = 0;

  // Finishes the call with an error. If `pushback` is above zero, the caller is
  // told to wait that long before it tries again.
  virtual void FinishWithError(const absl::Status& status,
                               absl::Duration pushback) = 0;

 protected:
  ~UnaryCall() = default;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_
