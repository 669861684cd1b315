// SPDX-License-Identifier: Apache-2.0

// Calls the service on behalf of the commands.
//
//   ConnectionOptions connection;
//   connection.transport.servers = {"127.0.0.1:8105"};
//   UsageClient client(connection);
//   absl::StatusOr<v1::GetUsageRecordResponse> response = client.Get(request);

#ifndef TOKENUSAGE_CLI_CLIENT_CLIENT_H_
#define TOKENUSAGE_CLI_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {

// The service to reach, and the credentials to present.
struct ConnectionOptions {
  GrpcTransportOptions transport;  // with one server
  std::string token;               // that in transport.token_file, or empty

  const std::string& server() const { return transport.servers.front(); }
};

// The time without an answer after which a command gives up: before the first
// answer, and after it. The latter is enough for the service to restart.
inline constexpr absl::Duration kPatienceBefore = absl::Seconds(5);
inline constexpr absl::Duration kPatienceAfter = absl::Seconds(15);

// Returns whether the same call may succeed soon.
bool IsWorthRetrying(const absl::Status& status, bool has_pushback);

// Returns the status of a call that is not repeated. If it has no ErrorInfo,
// the service did not answer: then the message says what gRPC's error means for
// the flags. May connect once more to find out.
absl::Status DescribeFailure(const ConnectionOptions& connection,
                             const absl::Status& status);

// Makes calls, and retries each while the service is unavailable or busy: every
// method may be repeated. A failed status carries the service's ErrorInfo, or
// names the server if it did not answer. Not thread-safe.
class UsageClient {
 public:
  // Creates a client, which does not connect yet.
  explicit UsageClient(const ConnectionOptions& connection);

  absl::StatusOr<v1::ReportUsageResponse> Report(
      const v1::ReportUsageRequest& request) {
    return Call(&Stub::ReportUsage, request);
  }
  absl::StatusOr<v1::QueryUsageResponse> Query(
      const v1::QueryUsageRequest& request) {
    return Call(&Stub::QueryUsage, request);
  }
  absl::StatusOr<v1::GetUsageRecordResponse> Get(
      const v1::GetUsageRecordRequest& request) {
    return Call(&Stub::GetUsageRecord, request);
  }
  absl::StatusOr<v1::ListUsageRecordsResponse> List(
      const v1::ListUsageRecordsRequest& request) {
    return Call(&Stub::ListUsageRecords, request);
  }
  absl::StatusOr<v1::ListProjectsResponse> ListProjects(
      const v1::ListProjectsRequest& request) {
    return Call(&Stub::ListProjects, request);
  }

 private:
  using Stub = v1::UsageReportingService::Stub;

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    Response response;
    TOKENUSAGE_RETURN_IF_ERROR(Retry([&](grpc::ClientContext* context) {
      return (stub_.get()->*method)(context, request, &response);
    }));
    return response;
  }

  absl::Status Retry(
      const std::function<grpc::Status(grpc::ClientContext*)>& call);
  void WaitToRetry(absl::Duration time);

  const ConnectionOptions connection_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  bool has_answered_ = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_CLIENT_H_
