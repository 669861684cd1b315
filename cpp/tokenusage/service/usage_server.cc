#include "tokenusage/service/usage_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

// The transport's limit for one message, as usage_reporting_service.proto says.
constexpr int kMaxMessageBytes = 4 << 20;

bool IsLoopbackHost(std::string host) {
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    in6_addr address;
    host = host.substr(1, host.size() - 2);
    return inet_pton(AF_INET6, host.c_str(), &address) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&address);
  }
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 &&
         (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace

absl::Status CheckLoopbackAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos && IsLoopbackHost(address.substr(0, colon)) &&
      absl::SimpleAtoi(ToAbsl(std::string_view(address).substr(colon + 1)),
                       &port) &&
      port >= 0 && port <= 65535) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a loopback address and a port, as 127.0.0.1:8105 or "
      "[::1]:8105 (without TLS no other address is served), found \"",
      Excerpt(address), "\""));
}

absl::StatusOr<std::unique_ptr<UsageServer>> UsageServer::Start(
    UsageStore* store, UsageServerOptions options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLoopbackAddress(options.address));
  std::unique_ptr<UsageServer> server(
      new UsageServer(store, std::move(options.service)));
  grpc::ServerBuilder builder;
  // Otherwise a second server would share the port, and half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(),
                           &server->port_);
  builder.RegisterService(&server->service_);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.address,
                     ": is another process using the port?"));
  }
  return server;
}

UsageServer::~UsageServer() { Shutdown(absl::ZeroDuration()); }

void UsageServer::Shutdown(absl::Duration drain) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now() + drain));
  server_->Wait();
}

}  // namespace tokenusage
