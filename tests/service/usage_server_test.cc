// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_server.h"

#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/service/gate_store.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/service/server/listen_address.h"
#include "tokenusage/store/memory_store.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(UsageServerTest, ServesLoopbackAddressesOnly) {
  const auto check = [](const std::string& address, bool insecure) {
    UsageServerOptions options;
    options.address = address;
    options.insecure_plaintext_on_any_address = insecure;
    return CheckServedAddress(options);
  };
  for (const char* address :
       {"127.0.0.1:0", "127.9.9.9:8105", "[::1]:65535", "localhost:1"}) {
    EXPECT_THAT(check(address, false), IsOk());
  }
  for (const char* address :
       {"0.0.0.0:8105", "[::]:8105", "10.0.0.1:8105", "example.com:8105"}) {
    EXPECT_THAT(check(address, false),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << address;
    EXPECT_THAT(check(address, true), IsOk());
  }
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", ":8105",
        "unix:/tmp/socket", ""}) {
    EXPECT_THAT(check(address, true),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << address;
  }
  EXPECT_THAT(check("127.0.0.1.example.com:1", false),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(UsageServerTest, RefusesAPortThatIsTaken) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  const auto first = UsageServer::Start(store.get(), options);
  ASSERT_THAT(first, IsOk());
  options.address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = UsageServer::Start(store.get(), options);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable,
                               AllOf(HasSubstr(options.address),
                                     HasSubstr("another process"))));
}

TEST(UsageServerTest, SaysWhyItCannotListen) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.insecure_plaintext_on_any_address = true;
  options.address = "192.0.2.1:8105";  // for documentation (RFC 5737)
  EXPECT_THAT(UsageServer::Start(store.get(), options),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("this machine does not have that address")));
  options.address = "no-such-host.invalid:8105";
  EXPECT_THAT(
      UsageServer::Start(store.get(), options),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no such host")));
  EXPECT_THAT(ListenErrorText(EACCES), HasSubstr("CAP_NET_BIND_SERVICE"));
}

// Returns the answer of gRPC's health service: 1 is SERVING, 2 NOT_SERVING.
int HealthOf(const std::shared_ptr<grpc::Channel>& channel,
             const std::string& request = "",
             grpc_compression_algorithm algorithm = GRPC_COMPRESS_NONE) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_compression_algorithm(algorithm);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(request);
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check",
                            grpc::ByteBuffer(&slice, 1), &queue);
  grpc::ByteBuffer response;
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  grpc::Slice bytes;
  if (!queue.Next(&tag, &ok) || !status.ok() ||
      !response.DumpToSingleSlice(&bytes).ok() || bytes.size() != 2) {
    return -1;
  }
  return bytes.begin()[1];  // of field 1
}

// The requests are padded, since gRPC compresses only what becomes shorter.
TEST(UsageServerTest, UnpacksHealthChecksUpToALimit) {
  const auto store = NewMemoryStore();
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  const auto server = UsageServer::Start(store.get(), options).value();
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                          grpc::InsecureChannelCredentials());
  const std::string service = "\x0a\x23tokenusage.v1.UsageReportingService";
  const std::string unknown_field("\x7a\xe8\x07" + std::string(1000, '\0'));
  EXPECT_EQ(HealthOf(channel, service + unknown_field, GRPC_COMPRESS_GZIP), 1);
  EXPECT_EQ(HealthOf(channel, service + unknown_field), 1);
  std::string bomb = service;
  for (int i = 0; i < 1000; ++i) bomb += unknown_field;
  EXPECT_EQ(HealthOf(channel, bomb, GRPC_COMPRESS_GZIP), -1);
  EXPECT_EQ(HealthOf(channel), 1);
}

TEST(UsageServerTest, AStoreThatRecoversDoesNotEndTheShutdown) {
  testing::GateStore store;
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  options.recovery_interval = absl::Milliseconds(50);
  std::promise<void> recovered;
  options.on_health_change = [&](const HealthChange& change) {
    if (change.healthy) recovered.set_value();
  };
  const auto server = UsageServer::Start(&store, options).value();
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                          grpc::InsecureChannelCredentials());
  const auto stub = v1::UsageReportingService::NewStub(channel);
  EXPECT_EQ(HealthOf(channel), 1);
  // A message without an answer holds up the shutdown.
  grpc::ClientContext context;
  const auto stream = stub->StreamUsage(&context);
  v1::StreamUsageRequest message;
  message.set_sequence(1);
  message.set_project("demo");
  *message.add_records() =
      testing::ValidRecord("a", testing::Nanos("2026-08-01T12:00:00Z"));
  ASSERT_TRUE(stream->Write(message));
  store.Await(1);
  std::thread shutdown([&] { server->Shutdown(absl::Seconds(30)); });
  while (HealthOf(channel) == 1) std::this_thread::yield();

  grpc::ClientContext query_context;
  v1::QueryUsageRequest query;
  query.set_project("broken");
  query.mutable_start_time()->set_seconds(1'700'000'000);
  query.mutable_end_time()->set_seconds(1'800'000'000);
  v1::QueryUsageResponse response;
  EXPECT_EQ(stub->QueryUsage(&query_context, query, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  recovered.get_future().wait();
  EXPECT_EQ(HealthOf(channel), 2);
  store.Open();
  v1::StreamUsageResponse answer;
  EXPECT_TRUE(stream->Read(&answer));
  EXPECT_FALSE(stream->Read(&answer));
  stream->Finish();
  shutdown.join();
}

}  // namespace
}  // namespace tokenusage
