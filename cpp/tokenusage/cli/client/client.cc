// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/client.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/retry_delay.h"
#include "tokenusage/cli/client/server_certificate.h"
#include "tokenusage/client/channel.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kMinDelay = absl::Milliseconds(100);
constexpr absl::Duration kMaxDelay = absl::Seconds(1);
// Longer than the server's limit for reads, whose error says more.
constexpr std::chrono::seconds kCallDeadline(40);

}  // namespace

bool IsWorthRetrying(const absl::Status& status, bool has_pushback) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return !IsRefusedCertificate(std::string(status.message()));
    // This side never cancels: a server that shuts down does.
    case absl::StatusCode::kCancelled:
      return true;
    case absl::StatusCode::kResourceExhausted:
      // Without pushback it is the transport's size limit.
      return has_pushback;
    default:
      return false;
  }
}

absl::Status DescribeFailure(const ConnectionOptions& connection,
                             const absl::Status& status) {
  if (GetErrorInfo(status)) return status;
  std::string why(status.message());
  const auto mentions = [&why](const char* words) {
    return why.find(words) != std::string::npos;
  };
  if (!connection.transport.tls && mentions("Socket closed")) {
    // A server that speaks TLS silently closes plain-text connections.
    why += "; if it speaks TLS, connect with --tls or --tls-ca";
  } else if (mentions("wrong version number") ||
             mentions("WRONG_VERSION_NUMBER")) {
    why = "it does not speak TLS; connect without --tls and --tls-ca";
  } else if (mentions("is not in peer certificate")) {
    why =
        "its certificate is for another name; if that is right, give the name "
        "as --tls-server-name";
  } else if (IsRefusedCertificate(why)) {
    why = DescribeRefusedCertificate(connection);
  }
  return absl::Status(
      status.code(),
      absl::StrCat("the service at ", connection.server(), ": ", why));
}

UsageClient::UsageClient(const ConnectionOptions& connection)
    : connection_(connection),
      channel_(NewChannel(connection.server(), connection.transport)),
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

absl::Status UsageClient::Retry(
    const std::function<grpc::Status(grpc::ClientContext*)>& call) {
  const absl::Time give_up =
      absl::Now() + (has_answered_ ? kPatienceAfter : kPatienceBefore);
  for (int failures = 0;; ++failures) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    if (!connection_.token.empty()) {
      context.AddMetadata("authorization", "Bearer " + connection_.token);
    }
    const absl::Status status = FromGrpcStatus(call(&context));
    const std::optional<absl::Duration> pushback = PushbackOf(context);
    const absl::Duration wait =
        std::max(RetryDelay(kMinDelay, kMaxDelay, failures),
                 pushback.value_or(absl::ZeroDuration()));
    if (IsWorthRetrying(status, pushback.has_value()) &&
        absl::Now() + wait < give_up) {
      WaitToRetry(wait);
      continue;
    }
    if (status.ok() || GetErrorInfo(status)) {
      has_answered_ = true;
      return status;
    }
    return DescribeFailure(connection_, status);
  }
}

}  // namespace tokenusage
