#include "tokenusage/cli/client.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "tokenusage/service/error_info.h"

namespace tokenusage {
namespace {

constexpr int kMaxAttempts = 5;
constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
// Longer than the server's own limit for reads, which then says more.
constexpr std::chrono::seconds kCallDeadline(40);

bool IsWorthRetrying(const grpc::Status& status,
                     const grpc::ClientContext& context) {
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return true;
  // Without pushback it is the transport's size limit, which stays.
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
         context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms") !=
             0;
}

}  // namespace

UsageClient::UsageClient(const std::string& server)
    : server_(server),
      stub_(v1::UsageReportingService::NewStub(
          grpc::CreateChannel(server, grpc::InsecureChannelCredentials()))) {}

absl::Status UsageClient::Call(
    const std::function<grpc::Status(grpc::ClientContext*)>& call) {
  absl::Duration delay = kFirstDelay;
  for (int attempt = 1;; ++attempt, delay *= 2) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    const grpc::Status status = call(&context);
    if (attempt < kMaxAttempts && IsWorthRetrying(status, context)) {
      absl::SleepFor(delay);
      continue;
    }
    const absl::Status result = FromGrpcStatus(status);
    if (result.ok() || GetErrorInfo(result)) return result;
    return absl::Status(
        result.code(),
        absl::StrCat("the service at ", server_, ": ", status.error_message()));
  }
}

absl::Status UsageClient::Report(const v1::ReportUsageRequest& request,
                                 v1::ReportUsageResponse* response) {
  return Call([&](grpc::ClientContext* context) {
    return stub_->ReportUsage(context, request, response);
  });
}

absl::Status UsageClient::Query(const v1::QueryUsageRequest& request,
                                v1::QueryUsageResponse* response) {
  return Call([&](grpc::ClientContext* context) {
    return stub_->QueryUsage(context, request, response);
  });
}

absl::Status UsageClient::Get(const v1::GetUsageRecordRequest& request,
                              v1::GetUsageRecordResponse* response) {
  return Call([&](grpc::ClientContext* context) {
    return stub_->GetUsageRecord(context, request, response);
  });
}

absl::Status UsageClient::List(const v1::ListUsageRecordsRequest& request,
                               v1::ListUsageRecordsResponse* response) {
  return Call([&](grpc::ClientContext* context) {
    return stub_->ListUsageRecords(context, request, response);
  });
}

}  // namespace tokenusage
