// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/grpc_transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/channel_arguments.h"
#include "grpcpp/support/slice.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/client/token_file.h"
#include "tokenusage/internal/rpc_status.pb.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"  // for gRPC's traits

namespace tokenusage {
namespace {

constexpr char kReportUsage[] =
    "/tokenusage.v1.UsageReportingService/ReportUsage";

// Requests are encoded already.
using Stub =
    grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::ReportUsageResponse>;

bool IsLoopback(const std::string& server) {
  const std::string host = server.substr(0, server.rfind(':'));
  return host == "localhost" || host == "[::1]" ||
         absl::StartsWith(host, "127.");
}

absl::Status CheckOptions(const GrpcTransportOptions& options) {
  if (options.servers.empty()) {
    return absl::InvalidArgumentError("servers: expected at least one");
  }
  for (const std::string& server : options.servers) {
    if (!absl::StrContains(server, ":") || absl::StrContains(server, "://")) {
      return absl::InvalidArgumentError(
          absl::StrCat("servers: expected host:port, found ", server));
    }
    if (!options.token_file.empty() && !options.tls && !IsLoopback(server)) {
      return absl::InvalidArgumentError(
          absl::StrCat("token_file: the token would go to ", server,
                       " in plain text; set tls"));
    }
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "tls_certificate and tls_key need each other");
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(
    const GrpcTransportOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = options.tls_ca;
  tls.pem_cert_chain = options.tls_certificate;
  tls.pem_private_key = options.tls_key;
  return grpc::SslCredentials(tls);
}

std::shared_ptr<grpc::Channel> NewChannel(const std::string& server,
                                          const GrpcTransportOptions& options) {
  grpc::ChannelArguments arguments;
  if (!options.tls_server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls_server_name);
  }
  // The sender has its own delays; gRPC's must not add to them.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A loopback address is never behind a proxy.
  if (IsLoopback(server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(server, CredentialsOf(options), arguments);
}

// Returns the reason of the ErrorInfo in a status, or "".
std::string ReasonOf(const grpc::Status& status) {
  internal::Status details;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const auto& detail : details.details()) {
    internal::ErrorInfo info;
    if (absl::EndsWith(detail.type_url(), "/google.rpc.ErrorInfo") &&
        info.ParseFromString(detail.value()) && info.domain() == "tokenusage") {
      return info.reason();
    }
  }
  return "";
}

std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("grpc-retry-pushback-ms");
  std::int64_t millis = 0;
  if (found == trailers.end() ||
      !absl::SimpleAtoi(
          absl::string_view(found->second.data(), found->second.size()),
          &millis) ||
      millis < 0) {
    return std::nullopt;
  }
  return absl::Milliseconds(millis);
}

// Returns whether another server may answer.
bool IsWorthAnotherServer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status);
}

class GrpcTransport : public ReportTransport {
 public:
  GrpcTransport(const GrpcTransportOptions& options,
                std::unique_ptr<TokenFile> token)
      : token_(std::move(token)) {
    for (const std::string& server : options.servers) {
      stubs_.push_back(std::make_unique<Stub>(NewChannel(server, options)));
    }
  }

  ReportResult Report(const std::string& request,
                      absl::Duration timeout) override {
    const std::size_t first = current_;
    ReportResult result;
    for (std::size_t i = 0; i < stubs_.size(); ++i) {
      const std::size_t server = (first + i) % stubs_.size();
      result = Call(server, request, timeout);
      if (!IsWorthAnotherServer(result.status)) {
        current_ = server;
        break;
      }
    }
    return result;
  }

  void Cancel() override {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
  }

 private:
  // Registers a call, or returns false after Cancel.
  bool Begin(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    if (!is_cancelled_) contexts_.insert(context);
    return !is_cancelled_;
  }

  void End(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    contexts_.erase(context);
  }

  ReportResult Call(std::size_t server, const std::string& request,
                    absl::Duration timeout) {
    ReportResult result;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         absl::ToChronoMicroseconds(timeout));
    if (token_ != nullptr) {
      context.AddMetadata("authorization", "Bearer " + token_->Get());
    }
    if (!Begin(&context)) {
      result.status = absl::CancelledError("the reporter was stopped");
      return result;
    }
    const grpc::Slice slice(request);
    const grpc::ByteBuffer encoded(&slice, 1);
    std::promise<grpc::Status> done;
    stubs_[server]->UnaryCall(
        &context, kReportUsage, grpc::StubOptions(), &encoded, &result.response,
        [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    End(&context);
    if (status.ok()) return result;
    result.status =
        absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                     status.error_message());
    result.reason = ReasonOf(status);
    result.pushback = PushbackOf(context);
    return result;
  }

  const std::unique_ptr<TokenFile> token_;  // may be null
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::atomic<std::size_t> current_{0};  // the server that answered last

  std::mutex mutex_;  // guards the members below
  bool is_cancelled_ = false;
  std::set<grpc::ClientContext*> contexts_;  // of the calls in progress
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReportTransport>> NewGrpcTransport(
    const GrpcTransportOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<TokenFile> token;
  if (!options.token_file.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(token, TokenFile::Open(options.token_file));
  }
  return std::make_unique<GrpcTransport>(options, std::move(token));
}

}  // namespace tokenusage
