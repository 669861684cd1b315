// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/grpc_service.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/service/rpc/grpc_call.h"

namespace tokenusage {

GrpcService::GrpcService(UsageReportingServiceImpl* service)
    : service_(*service),
      answer_deadlines_(service->options().limits.max_answer_time),
      stream_worker_(1, {std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::max()}) {}

grpc::ServerUnaryReactor* GrpcService::ReportUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new GrpcCall(context, *request, response, &answer_deadlines_);
  service_.ReportUsage(call);
  return call;
}

grpc::ServerUnaryReactor* GrpcService::QueryUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new GrpcCall(context, *request, response, &answer_deadlines_);
  service_.QueryUsage(call);
  return call;
}

grpc::ServerUnaryReactor* GrpcService::GetUsageRecord(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new GrpcCall(context, *request, response, &answer_deadlines_);
  service_.GetUsageRecord(call);
  return call;
}

grpc::ServerUnaryReactor* GrpcService::ListUsageRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new GrpcCall(context, *request, response, &answer_deadlines_);
  service_.ListUsageRecords(call);
  return call;
}

grpc::ServerUnaryReactor* GrpcService::ListProjects(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  auto* const call =
      new GrpcCall(context, *request, response, &answer_deadlines_);
  service_.ListProjects(call);
  return call;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
GrpcService::StreamUsage(grpc::CallbackServerContext* context) {
  UsageStream::Parts parts;
  parts.handler = service_.reports();
  parts.answer_deadlines = &answer_deadlines_;
  parts.limits = &service_.options().limits;
  parts.run_later = [this](std::function<void()> job) {
    stream_worker_.TrySubmit({}, 0, std::move(job));
  };
  parts.on_done = [this](UsageStream* stream) {
    const std::lock_guard<std::mutex> lock(streams_mutex_);
    streams_.erase(stream);
    streams_changed_.notify_all();
  };
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
  // A connection that is closed while its caller still sends is reset, and
  // unread answers are lost: give the caller time to read why its stream ended.
  constexpr absl::Duration kLinger = absl::Milliseconds(200);
  absl::SleepFor(
      std::clamp(deadline - absl::Now(), absl::ZeroDuration(), kLinger));
}

}  // namespace tokenusage
