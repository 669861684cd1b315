// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/channelz.h"

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/memory_store.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ChannelzTest, CountsStreamsFromWhenTheyAreRead) {
  EXPECT_THAT(ServerSockets(), IsEmpty());
  EXPECT_EQ(UnfinishedCalls(), 0);
  EXPECT_EQ(StartedStreams(0), 0);
  EXPECT_EQ(StartedStreams(1 << 20), 0);

  const std::unique_ptr<UsageStore> store = NewMemoryStore();
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  const auto server = UsageServer::Start(store.get(), options).value();
  const auto stub = v1::UsageReportingService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                          grpc::InsecureChannelCredentials()));
  for (int calls = 1; calls <= 3; ++calls) {
    grpc::ClientContext context;
    v1::ListProjectsResponse response;
    EXPECT_TRUE(stub->ListProjects(&context, {}, &response).ok());
    const auto sockets = ServerSockets();
    ASSERT_EQ(sockets.size(), 1);
    EXPECT_THAT(sockets.begin()->first, StartsWith("ipv4:127.0.0.1:"));
    EXPECT_EQ(StartedStreams(sockets.begin()->second), calls);
  }

  grpc::ClientContext context;
  const auto stream = stub->StreamUsage(&context);
  while (UnfinishedCalls() != 1 ||
         StartedStreams(ServerSockets().begin()->second) != 4) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  context.TryCancel();
  stream->Finish();
}

}  // namespace
}  // namespace tokenusage
