// SPDX-License-Identifier: Apache-2.0

#include "tests/client/support/grpc_service.h"

#include <chrono>

#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "tokenusage/internal/rpc_status.pb.h"

namespace tokenusage::testing {
namespace {

grpc::Status ToGrpcStatus(const ReportResult& result) {
  const std::string message(result.status.message());
  internal::Status details;
  details.set_message(message);
  if (!result.reason.empty()) {
    internal::ErrorInfo info;
    info.set_reason(result.reason);
    info.set_domain("tokenusage");
    auto* detail = details.add_details();
    detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
    detail->set_value(info.SerializeAsString());
  }
  return grpc::Status(static_cast<grpc::StatusCode>(result.status.code()),
                      message, details.SerializeAsString());
}

}  // namespace

GrpcService::GrpcService(FakeService* service) : service_(service) { Start(); }

std::string GrpcService::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void GrpcService::Start() {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

void GrpcService::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

std::string GrpcService::authorization() const {
  const std::lock_guard lock(mutex_);
  return authorization_;
}

grpc::Status GrpcService::ReportUsage(grpc::ServerContext* context,
                                      const v1::ReportUsageRequest* request,
                                      v1::ReportUsageResponse* response) {
  const auto& metadata = context->client_metadata();
  if (const auto found = metadata.find("authorization");
      found != metadata.end()) {
    const std::lock_guard lock(mutex_);
    authorization_.assign(found->second.data(), found->second.size());
  }
  const ReportResult result = service_->Report(request->SerializeAsString());
  if (result.status.ok()) {
    *response = result.response;
    return grpc::Status::OK;
  }
  if (result.pushback.has_value()) {
    context->AddTrailingMetadata(
        "grpc-retry-pushback-ms",
        std::to_string(absl::ToInt64Milliseconds(*result.pushback)));
  }
  return ToGrpcStatus(result);
}

}  // namespace tokenusage::testing
