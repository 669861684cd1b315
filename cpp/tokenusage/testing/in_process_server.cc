// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/testing/in_process_server.h"

#include <utility>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage {

absl::StatusOr<std::unique_ptr<InProcessServer>> InProcessServer::Start(
    UsageReportingServiceOptions options) {
  std::unique_ptr<InProcessServer> result(new InProcessServer);
  result->store_ = NewMemoryStore();
  UsageServerOptions server_options;
  server_options.address = "127.0.0.1:0";
  server_options.service = std::move(options);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      result->server_,
      UsageServer::Start(result->store_.get(), std::move(server_options)));
  return result;
}

std::string InProcessServer::address() const {
  return "127.0.0.1:" + std::to_string(server_->port());
}

std::shared_ptr<grpc::Channel> InProcessServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(
      address(), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace tokenusage
