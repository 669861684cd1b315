// SPDX-License-Identifier: Apache-2.0

// UsageReportingService over gRPC.
//
//   UsageReportingServiceImpl service(store.get());
//   GrpcService grpc_service(&service);
//   grpc::ServerBuilder builder;
//   builder.RegisterService(&grpc_service);

#ifndef TOKENUSAGE_SERVICE_GRPC_SERVICE_H_
#define TOKENUSAGE_SERVICE_GRPC_SERVICE_H_

#include <condition_variable>
#include <mutex>
#include <unordered_set>

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "tokenusage/service/rpc/answer_deadlines.h"
#include "tokenusage/service/rpc/usage_stream.h"
#include "tokenusage/service/server/worker_pool.h"
#include "tokenusage/service/usage_reporting_service.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {

// The methods take requests as bytes, so that one that cannot be parsed is
// answered with an error that says why; gRPC's would be a bare UNIMPLEMENTED.
using RawUsageReportingService =
    v1::UsageReportingService::WithRawCallbackMethod_ReportUsage<
        v1::UsageReportingService::WithRawCallbackMethod_StreamUsage<
            v1::UsageReportingService::WithRawCallbackMethod_QueryUsage<
                v1::UsageReportingService::WithRawCallbackMethod_GetUsageRecord<
                    v1::UsageReportingService::
                        WithRawCallbackMethod_ListUsageRecords<
                            v1::UsageReportingService::
                                WithRawCallbackMethod_ListProjects<
                                    v1::UsageReportingService::Service>>>>>>;

// The service to register at a server: starts each call on a
// UsageReportingServiceImpl. Thread-safe. Only AwaitStreams blocks.
class GrpcService final : public RawUsageReportingService {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Impl = UsageReportingServiceImpl;

  // `service` must outlive this, and this every call: shut the server down
  // first.
  explicit GrpcService(Impl* service);

  grpc::ServerUnaryReactor* ReportUsage(Context* context, const Bytes* request,
                                        Bytes* response) override {
    return StartCall(&Impl::ReportUsage, context, *request, response);
  }

  grpc::ServerUnaryReactor* QueryUsage(Context* context, const Bytes* request,
                                       Bytes* response) override {
    return StartCall(&Impl::QueryUsage, context, *request, response);
  }

  grpc::ServerUnaryReactor* GetUsageRecord(Context* context,
                                           const Bytes* request,
                                           Bytes* response) override {
    return StartCall(&Impl::GetUsageRecord, context, *request, response);
  }

  grpc::ServerUnaryReactor* ListUsageRecords(Context* context,
                                             const Bytes* request,
                                             Bytes* response) override {
    return StartCall(&Impl::ListUsageRecords, context, *request, response);
  }

  grpc::ServerUnaryReactor* ListProjects(Context* context, const Bytes* request,
                                         Bytes* response) override {
    return StartCall(&Impl::ListProjects, context, *request, response);
  }

  grpc::ServerBidiReactor<Bytes, Bytes>* StreamUsage(Context* context) override;

  // Ends the streams: they stop reading, answer what they have read, and end
  // with UNAVAILABLE, as do all that start later. Returns at once; other calls
  // continue.
  void BeginDrain();

  // Waits until no stream is left, at most until `deadline`. Must not be called
  // from gRPC's threads.
  void AwaitStreams(absl::Time deadline);

 private:
  // Starts a unary call.
  grpc::ServerUnaryReactor* StartCall(Impl::Method method, Context* context,
                                      const Bytes& request, Bytes* response);

  Impl& service_;
  AnswerDeadlines answer_deadlines_;

  std::mutex streams_mutex_;
  std::condition_variable streams_changed_;
  std::unordered_set<UsageStream*> streams_;  // guarded by streams_mutex_
  bool draining_ = false;                     // guarded by streams_mutex_

  // Last: its jobs use the members above.
  WorkerPool stream_worker_;  // continues streams when the budget allows
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_GRPC_SERVICE_H_
