// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/client.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kPatienceBefore = absl::Seconds(5);
constexpr absl::Duration kPatienceAfter = absl::Seconds(15);
constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
constexpr absl::Duration kMaxDelay = absl::Seconds(1);
// Longer than the server's own limit for reads, which then says more.
constexpr std::chrono::seconds kCallDeadline(40);

// The time that a busy server asks callers to wait, if it does.
std::optional<absl::Duration> PushbackOf(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("grpc-retry-pushback-ms");
  std::int64_t millis = 0;
  if (found == trailers.end() ||
      !absl::SimpleAtoi(
          absl::string_view(found->second.data(), found->second.size()),
          &millis)) {
    return std::nullopt;
  }
  return absl::Milliseconds(millis);
}

bool IsWorthRetrying(grpc::StatusCode code, bool has_pushback) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    // Nobody here cancels: a server that shuts down does.
    case grpc::StatusCode::CANCELLED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      // Without pushback it is the transport's size limit, which stays.
      return has_pushback;
    default:
      return false;
  }
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(
    const ConnectionOptions& connection) {
  if (!connection.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = connection.ca;
  options.pem_cert_chain = connection.certificate;
  options.pem_private_key = connection.key;
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> NewChannel(const ConnectionOptions& connection) {
  const std::string& server = connection.server;
  grpc::ChannelArguments arguments;
  if (!connection.server_name.empty()) {
    arguments.SetSslTargetNameOverride(connection.server_name);
  }
  // gRPC's own second would be most of our patience.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A proxy is for the world outside.
  if (CheckLoopbackAddress(server).ok()) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return grpc::CreateCustomChannel(server, CredentialsOf(connection),
                                   arguments);
}

}  // namespace

UsageClient::UsageClient(const ConnectionOptions& connection)
    : server_(connection.server),
      tls_(connection.tls),
      authorization_(connection.token.empty() ? ""
                                              : "Bearer " + connection.token),
      channel_(NewChannel(connection)),
      stub_(v1::UsageReportingService::NewStub(channel_)) {}

// Waits that long, or until the service can be reached, where it could not.
void UsageClient::WaitToRetry(absl::Duration time) {
  if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
    absl::SleepFor(time);
  } else {
    // While everyone sleeps, gRPC does not notice how a connection went.
    channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + time));
  }
}

absl::Status UsageClient::Call(
    const std::function<grpc::Status(grpc::ClientContext*)>& call) {
  const absl::Time give_up =
      absl::Now() + (has_answered_ ? kPatienceAfter : kPatienceBefore);
  absl::Duration delay = kFirstDelay;
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    if (!authorization_.empty()) {
      context.AddMetadata("authorization", authorization_);
    }
    const grpc::Status status = call(&context);
    const std::optional<absl::Duration> pushback = PushbackOf(context);
    const absl::Duration wait = std::max(delay, pushback.value_or(delay));
    if (IsWorthRetrying(status.error_code(), pushback.has_value()) &&
        absl::Now() + wait < give_up) {
      WaitToRetry(wait);
      delay = std::min(2 * delay, kMaxDelay);
      continue;
    }
    absl::Status result = FromGrpcStatus(status);
    if (result.ok() || GetErrorInfo(result)) {
      has_answered_ = true;
      return result;
    }
    return absl::Status(
        result.code(),
        absl::StrCat("the service at ", server_, ": ", status.error_message(),
                     HintFor(status.error_message())));
  }
}

// A server that speaks TLS ends a connection in plain text without a word.
std::string UsageClient::HintFor(const std::string& message) const {
  if (tls_ || message.find("Socket closed") == std::string::npos) return "";
  return "; if it speaks TLS, connect with --tls or --tls-ca";
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
