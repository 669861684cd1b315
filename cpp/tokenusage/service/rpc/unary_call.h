// SPDX-License-Identifier: Apache-2.0

// A unary call that holds memory until its answer has been written.
//
//   auto* call = new UnaryCall(context, &deadlines);
//   ...
//   call->FinishHolding(status, std::move(share));
//   return call;

#ifndef TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_
#define TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_

#include <memory>
#include <optional>
#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"
#include "tokenusage/service/rpc/answer_deadlines.h"

namespace tokenusage {

// Deletes itself when the call is over.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // `deadlines` must outlive the call.
  UnaryCall(grpc::CallbackServerContext* context, AnswerDeadlines* deadlines)
      : context_(context), deadlines_(deadlines) {}

  // Finishes the call. Keeps `held` until gRPC has written the answer or has
  // given it up.
  void FinishHolding(const grpc::Status& status, std::shared_ptr<void> held) {
    held_ = std::move(held);
    answer_ = deadlines_->Add(context_);
    Finish(status);
  }

  // gRPC then runs OnDone, which does little, on the thread that finished the
  // call, as it does for its own reactors. Otherwise it wakes another thread,
  // which costs half as much as all else of a small call.
  bool InternalInlineable() override { return true; }

  void OnDone() override {
    if (answer_) deadlines_->Remove(*answer_);
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  AnswerDeadlines* const deadlines_;
  std::shared_ptr<void> held_;
  std::optional<AnswerDeadlines::Token> answer_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_UNARY_CALL_H_
