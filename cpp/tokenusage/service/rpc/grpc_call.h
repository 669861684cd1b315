// SPDX-License-Identifier: Apache-2.0

// A unary call over gRPC, which holds memory until its answer has been written.
//
//   auto* const call = new GrpcCall(context, *request, response, &deadlines);
//   service.QueryUsage(call);
//   return call;

#ifndef TOKENUSAGE_SERVICE_RPC_GRPC_CALL_H_
#define TOKENUSAGE_SERVICE_RPC_GRPC_CALL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"
#include "tokenusage/service/rpc/answer_deadlines.h"
#include "tokenusage/service/rpc/grpc_request.h"
#include "tokenusage/service/rpc/unary_call.h"

namespace tokenusage {

// Deletes itself when the call is over.
class GrpcCall final : public grpc::ServerUnaryReactor, public UnaryCall {
 public:
  // `deadlines` must outlive the call.
  GrpcCall(grpc::CallbackServerContext* context,
           const grpc::ByteBuffer& request, grpc::ByteBuffer* response,
           AnswerDeadlines* deadlines)
      : context_(context),
        request_(request),
        response_(response),
        deadlines_(deadlines) {}

  CallOrigin origin() const override { return OriginOf(*context_); }
  CallLimits limits() const override { return LimitsOf(*context_); }
  RequestMessage* request() override { return &request_; }

  absl::StatusOr<std::size_t> Encode(
      const ::google::protobuf::Message& response) override {
    *response_ = ToByteBuffer(response);
    return response_->Length();
  }

  void Finish(std::shared_ptr<void> held) override {
    held_ = std::move(held);
    answer_ = deadlines_->Add(context_);
    grpc::ServerUnaryReactor::Finish(grpc::Status::OK);
  }

  void FinishWithError(const absl::Status& status,
                       absl::Duration pushback) override {
    if (pushback > absl::ZeroDuration()) {
      context_->AddTrailingMetadata(
          kPushbackTrailer,
          std::to_string(absl::ToInt64Milliseconds(pushback)));
    }
    grpc::ServerUnaryReactor::Finish(ToGrpcStatus(status));
  }

  // gRPC then runs OnDone, which does little, on the thread that finished the
  // call, as it does for its own reactors. Otherwise it wakes another thread,
  // which costs half as much as everything else in a small call.
  bool InternalInlineable() override { return true; }

  void OnDone() override {
    if (answer_) deadlines_->Remove(*answer_);
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  BinaryRequest request_;
  grpc::ByteBuffer* const response_;
  AnswerDeadlines* const deadlines_;
  std::shared_ptr<void> held_;
  std::optional<AnswerDeadlines::Token> answer_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_GRPC_CALL_H_
