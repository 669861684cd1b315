// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/grpc_service.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"
#include "tokenusage/service/rpc/grpc_request.h"
#include "tokenusage/service/rpc/unary_call.h"

namespace tokenusage {
namespace {

// A unary call. Keeps what Finish is given, such as the call's share of the
// memory, until the answer has been written. Deletes itself when it is over.
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

  // Lets gRPC run OnDone, which does little, on the thread that finishes the
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

}  // namespace

GrpcService::GrpcService(Impl* service)
    : service_(*service),
      answer_deadlines_(service->options().limits.max_answer_time),
      // One thread with an unbounded queue: it takes every job.
      stream_worker_(1, {std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::max()}) {}

grpc::ServerUnaryReactor* GrpcService::StartCall(Impl::Method method,
                                                 Context* context,
                                                 const Bytes& request,
                                                 Bytes* response) {
  auto* const call =
      new GrpcCall(context, request, response, &answer_deadlines_);
  (service_.*method)(call);
  return call;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
GrpcService::StreamUsage(grpc::CallbackServerContext* context) {
  UsageStream::Parts parts;
  parts.handler = service_.reports();
  parts.answer_deadlines = &answer_deadlines_;
  parts.limits = &service_.options().limits;
  parts.run_later = [this](std::function<void()> job) {
    stream_worker_.TrySubmit(/*key=*/{}, /*bytes=*/0, std::move(job));
  };
  parts.on_done = [this](UsageStream* stream) {
    const std::lock_guard<std::mutex> lock(streams_mutex_);
    streams_.erase(stream);
    streams_changed_.notify_all();
  };
  // Locked first: the stream may call on_done before it is inserted.
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  auto* stream = new UsageStream(context, std::move(parts));
  streams_.insert(stream);
  if (draining_) stream->Drain();
  return stream;
}

void GrpcService::BeginDrain() {
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  draining_ = true;
  for (UsageStream* stream : streams_) stream->Drain();
}

void GrpcService::AwaitStreams(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(streams_mutex_);
  if (streams_.empty()) return;
  streams_changed_.wait_until(lock, absl::ToChronoTime(deadline),
                              [this] { return streams_.empty(); });
  lock.unlock();
  // A connection that is closed while its caller is still sending is reset, and
  // the caller loses answers that it has not read: give it time to read why its
  // stream ended.
  constexpr absl::Duration kLinger = absl::Milliseconds(200);
  absl::SleepFor(
      std::clamp(deadline - absl::Now(), absl::ZeroDuration(), kLinger));
}

}  // namespace tokenusage
