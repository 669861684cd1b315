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
#include "tokenusage/cli/client/server_certificate.h"
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kPatienceBefore = absl::Seconds(5);
constexpr absl::Duration kPatienceAfter = absl::Seconds(15);
constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
constexpr absl::Duration kMaxDelay = absl::Seconds(1);
// Longer than the server's limit for reads, whose error says more.
constexpr std::chrono::seconds kCallDeadline(40);

// Returns how long a busy server asks callers to wait, if it does.
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

bool IsWorthRetrying(const grpc::Status& status, bool has_pushback) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return !IsRefusedCertificate(status.error_message());
    // Not by this side: a server that shuts down cancels.
    case grpc::StatusCode::CANCELLED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      // Without pushback it is the transport's size limit.
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
  // gRPC's default, a second, would be a large part of the patience.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Loopback is never behind a proxy.
  if (CheckLoopbackAddress(server).ok()) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return grpc::CreateCustomChannel(server, CredentialsOf(connection),
                                   arguments);
}

}  // namespace

UsageClient::UsageClient(const ConnectionOptions& connection)
    : connection_(connection),
      authorization_(connection.token.empty() ? ""
                                              : "Bearer " + connection.token),
      channel_(NewChannel(connection)),
      stub_(v1::UsageReportingService::NewStub(channel_)) {}

// Waits for `time`, or less if the service can be reached again.
void UsageClient::WaitToRetry(absl::Duration time) {
  if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
    absl::SleepFor(time);
  } else {
    // gRPC makes no progress on a connection that nobody waits for.
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
    if (IsWorthRetrying(status, pushback.has_value()) &&
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
    return NoAnswer(status);
  }
}

// Says what gRPC's words mean for the flags.
absl::Status UsageClient::NoAnswer(const grpc::Status& status) const {
  std::string why = status.error_message();
  const auto mentions = [&why](const char* words) {
    return why.find(words) != std::string::npos;
  };
  if (!connection_.tls && mentions("Socket closed")) {
    // A server that speaks TLS closes connections in plain text silently.
    why += "; if it speaks TLS, connect with --tls or --tls-ca";
  } else if (mentions("wrong version number") ||
             mentions("WRONG_VERSION_NUMBER")) {
    why = "it does not speak TLS; connect without --tls and --tls-ca";
  } else if (mentions("is not in peer certificate")) {
    why =
        "its certificate is for another name; if that is right, give the name "
        "as --tls-server-name";
  } else if (IsRefusedCertificate(why)) {
    why = DescribeRefusedCertificate(connection_);
  }
  return absl::Status(
      static_cast<absl::StatusCode>(status.error_code()),
      absl::StrCat("the service at ", connection_.server, ": ", why));
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

absl::Status UsageClient::ListProjects(const v1::ListProjectsRequest& request,
                                       v1::ListProjectsResponse* response) {
  return Call([&](grpc::ClientContext* context) {
    return stub_->ListProjects(context, request, response);
  });
}

}  // namespace tokenusage
