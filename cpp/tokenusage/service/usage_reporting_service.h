// SPDX-License-Identifier: Apache-2.0

// The gRPC service tokenusage.v1.UsageReportingService over a UsageStore.
//
//   std::unique_ptr<UsageStore> store = NewMemoryStore();
//   UsageReportingServiceImpl service(store.get());
//   grpc::ServerBuilder builder;
//   builder.RegisterService(&service);
//
// A thin adapter: it checks the request, calls the store, and converts the
// store's answer to response messages. UsageServer, in usage_server.h, is a
// whole server around it.

#ifndef TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
#define TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/service/rpc/answer_deadlines.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/report_handler.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/service/rpc/usage_stream.h"
#include "tokenusage/service/server/admission_budget.h"
#include "tokenusage/service/server/time_zones.h"
#include "tokenusage/service/server/worker_pool.h"
#include "tokenusage/service/usage_reporting_options.h"
#include "tokenusage/store/usage_store.h"
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

// Thread-safe. No method blocks one of gRPC's threads: appends are answered by
// the store's thread, reads run on the worker pool.
class UsageReportingServiceImpl final : public RawUsageReportingService {
 public:
  // `store` must outlive the service, and the service every call: shut the
  // server down first.
  explicit UsageReportingServiceImpl(UsageStore* store,
                                     UsageReportingServiceOptions options = {});

  ~UsageReportingServiceImpl() override;

  grpc::ServerUnaryReactor* ReportUsage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamUsage(
      grpc::CallbackServerContext* context) override;

  grpc::ServerUnaryReactor* QueryUsage(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* GetUsageRecord(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* ListUsageRecords(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* ListProjects(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;

  // Ends the streams: they stop reading, answer what they have read, and end
  // with UNAVAILABLE, as do all that start later. Returns at once; other calls
  // continue.
  void BeginDrain();

  // Waits until no stream is left, at most until `deadline`. Must not be called
  // from gRPC's threads.
  void AwaitStreams(absl::Time deadline);

 private:
  // Parses and authorises the request, runs `read` on the worker pool, within
  // limits that start now, and finishes the call with its answer. `read` takes
  // the request, the caller, the limits and the response, and returns a status.
  template <typename Request, typename Response, typename ReadFunction>
  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer& raw_request,
                                 grpc::ByteBuffer* raw_response,
                                 ReadFunction read);

  // Finishes a read with `response`, or with SERVER_BUSY if too much of the
  // project's answers waits for callers to read it.
  void FinishRead(grpc::CallbackServerContext* context, UnaryCall* call,
                  const std::string& project,
                  const ::google::protobuf::Message& response,
                  grpc::ByteBuffer* raw_response);

  // Finishes a call with an error, with the pushback trailer if the server is
  // busy.
  void FinishWithError(grpc::CallbackServerContext* context, UnaryCall* call,
                       const absl::Status& status) const;

  // Returns the projects that the caller may use, ordered by name.
  absl::StatusOr<std::vector<StoredProject>> ProjectsOf(
      const Caller& caller, const CallLimits& limits) const;

  // Tells the observer of a store failure; returns the error for the caller.
  absl::Status OnStoreError(const absl::Status& store_status) const;

  // Returns the earlier of the caller's deadline and the server's own.
  CallLimits ReadLimitsOf(const grpc::CallbackServerContext& context) const;

  UsageStore* const store_;
  const UsageReportingServiceOptions options_;
  const TimeZones time_zones_ = TimeZones::FromSystem();
  const PageTokens page_tokens_;
  AnswerDeadlines answer_deadlines_;
  AdmissionBudget unwritten_;  // answers to reads
  ReportHandler reports_;

  std::mutex streams_mutex_;
  std::condition_variable streams_changed_;
  std::unordered_set<UsageStream*> streams_;  // guarded by streams_mutex_
  bool draining_ = false;                     // guarded by streams_mutex_

  // Last: their jobs use the members above.
  WorkerPool stream_worker_;  // continues streams when the budget allows
  WorkerPool readers_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
