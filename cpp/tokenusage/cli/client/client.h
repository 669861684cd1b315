// SPDX-License-Identifier: Apache-2.0

// Calls the service on behalf of the commands.
//
//   ConnectionOptions connection;
//   connection.server = "127.0.0.1:8105";
//   UsageClient client(connection);
//   v1::GetUsageRecordResponse response;
//   absl::Status status = client.Get(request, &response);

#ifndef TOKENUSAGE_CLI_CLIENT_CLIENT_H_
#define TOKENUSAGE_CLI_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {

// How to reach a service, and as whom.
struct ConnectionOptions {
  std::string server;  // host:port

  bool tls = false;  // else plain text
  // In PEM.
  std::string ca;           // empty: the system's CAs
  std::string certificate;  // the caller's, or empty
  std::string key;
  // The name in the server's certificate if it is not the host, or empty.
  std::string server_name;

  std::string token;  // or empty
};

// Makes calls, and retries each while the service is unavailable or busy: every
// method may be repeated. It gives up after 5 seconds if the service has never
// answered, else after 15, so that a restart goes unnoticed. A failed status
// carries the service's ErrorInfo, or names the server if it did not answer.
// Not thread-safe.
class UsageClient {
 public:
  // Does not connect yet.
  explicit UsageClient(const ConnectionOptions& connection);

  absl::Status Report(const v1::ReportUsageRequest& request,
                      v1::ReportUsageResponse* response);
  absl::Status Query(const v1::QueryUsageRequest& request,
                     v1::QueryUsageResponse* response);
  absl::Status Get(const v1::GetUsageRecordRequest& request,
                   v1::GetUsageRecordResponse* response);
  absl::Status List(const v1::ListUsageRecordsRequest& request,
                    v1::ListUsageRecordsResponse* response);
  absl::Status ListProjects(const v1::ListProjectsRequest& request,
                            v1::ListProjectsResponse* response);

 private:
  absl::Status Call(
      const std::function<grpc::Status(grpc::ClientContext*)>& call);
  void WaitToRetry(absl::Duration time);
  absl::Status NoAnswer(const grpc::Status& status) const;

  const ConnectionOptions connection_;
  const std::string authorization_;  // the metadata's value, or empty
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::UsageReportingService::Stub> stub_;
  bool has_answered_ = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_CLIENT_H_
