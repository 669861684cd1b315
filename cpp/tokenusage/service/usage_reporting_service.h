// The gRPC service tokenusage.v1.UsageReportingService over a UsageStore.
//
//   std::unique_ptr<UsageStore> store = NewMemoryStore();
//   UsageReportingServiceImpl service(store.get());
//   grpc::ServerBuilder builder;
//   builder.RegisterService(&service);
//
// A thin adapter: it checks what a request may hold, asks the store, and says
// the answer in the terms of usage_reporting_service.proto. UsageServer, in
// usage_server.h, is the whole server around it.

#ifndef TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
#define TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/service/time_zones.h"
#include "tokenusage/service/worker_pool.h"
#include "tokenusage/store/usage_store.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {

struct UsageReportingServiceOptions {
  // Tells who makes a call. By default everybody may do everything.
  std::shared_ptr<const Authorizer> authorizer = NewOpenAuthorizer();

  // How long a query or a listing may take, where the caller allows more.
  absl::Duration max_read_time = absl::Seconds(30);

  // How many reads run at once, and how many may wait for their turn before
  // callers are answered RESOURCE_EXHAUSTED.
  int read_threads = 4;
  int max_queued_reads = 256;

  // When a caller that was answered RESOURCE_EXHAUSTED should try again.
  absl::Duration busy_pushback = absl::Milliseconds(200);

  // The server's clock, for receive_time and the check of event_time.
  std::function<absl::Time()> now = absl::Now;

  // Called with each failure of the store, whose details (paths, say) are for
  // the operator and not for callers. From any thread; must not block.
  std::function<void(const absl::Status&)> on_store_failure =
      [](const absl::Status&) {};

  // Called with the answer to each batch whose records are durable, before the
  // caller gets it. From any thread; must not block.
  std::function<void(const v1::ReportUsageResponse&)> on_report =
      [](const v1::ReportUsageResponse&) {};
};

// The methods take requests as bytes, so that one that cannot be parsed is
// answered with an error of our own; gRPC's would be UNIMPLEMENTED without a
// word.
using RawUsageReportingService =
    v1::UsageReportingService::WithRawCallbackMethod_ReportUsage<
        v1::UsageReportingService::WithRawCallbackMethod_QueryUsage<
            v1::UsageReportingService::WithRawCallbackMethod_GetUsageRecord<
                v1::UsageReportingService::
                    WithRawCallbackMethod_ListUsageRecords<
                        v1::UsageReportingService::Service>>>>;

// Thread safety: gRPC calls it from many threads. No method blocks one of
// gRPC's threads: appends are answered by the store's thread, reads run on own
// threads.
class UsageReportingServiceImpl final : public RawUsageReportingService {
 public:
  // `store` must outlive the service, and the service every call: shut the
  // server down first.
  explicit UsageReportingServiceImpl(UsageStore* store,
                                     UsageReportingServiceOptions options = {});

  grpc::ServerUnaryReactor* ReportUsage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* QueryUsage(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* GetUsageRecord(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;

  grpc::ServerUnaryReactor* ListUsageRecords(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;

 private:
  // Parses and authorises the request, runs `read` on a thread of our own,
  // within limits that count from now, and finishes the call with its answer.
  // `read` takes the request, the limits and the response, and returns a
  // status.
  template <typename Request, typename Response, typename ReadFunction>
  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer& raw_request,
                                 grpc::ByteBuffer* raw_response,
                                 ReadFunction read);

  // Parses and checks a batch where it will stay. Returns the project.
  absl::StatusOr<std::string> ParseReport(
      const grpc::CallbackServerContext& context,
      const grpc::ByteBuffer& raw_request, CheckedBatch* batch) const;

  // The status that callers are told for a failure of the store, in a read and
  // in an append.
  absl::Status ForCaller(const absl::Status& store_status) const;
  absl::Status ForReporter(const absl::Status& store_status) const;

  // Finishes a call: with `response` where `status` is OK, with the pushback
  // trailer where the server is busy.
  void Finish(grpc::CallbackServerContext* context,
              grpc::ServerUnaryReactor* reactor, const absl::Status& status,
              const google::protobuf::Message& response,
              grpc::ByteBuffer* raw_response) const;

  // When to give up: the caller's deadline, and for reads the server's own.
  static CallLimits AppendLimitsOf(const grpc::CallbackServerContext& context);
  CallLimits ReadLimitsOf(const grpc::CallbackServerContext& context) const;

  UsageStore* const store_;
  const UsageReportingServiceOptions options_;
  const TimeZones time_zones_ = TimeZones::FromSystem();
  WorkerPool readers_;  // last: its jobs use the members above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
