// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/transport_limits.h"

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/memory_store.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using testing::StatusIs;

// A server with given limits, and one connection to it.
class TransportLimitsTest : public ::testing::Test {
 protected:
  void Start(const TransportLimits& limits) {
    UsageServerOptions options;
    options.address = "127.0.0.1:0";
    options.limits = limits;
    server_ = UsageServer::Start(store_.get(), options).value();
    stub_ = v1::UsageReportingService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                            grpc::InsecureChannelCredentials()));
  }

  absl::Status Ask(absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    v1::ListUsageRecordsRequest request;
    request.set_project("demo");
    request.mutable_start_time()->set_seconds(1'700'000'000);
    request.mutable_end_time()->set_seconds(1'700'000'001);
    v1::ListUsageRecordsResponse response;
    return FromGrpcStatus(
        stub_->ListUsageRecords(&context, request, &response));
  }

  const std::unique_ptr<UsageStore> store_ = NewMemoryStore();
  std::unique_ptr<UsageServer> server_;
  std::unique_ptr<v1::UsageReportingService::Stub> stub_;
};

TEST_F(TransportLimitsTest, AConnectionEndsAtItsAgeWithItsStreams) {
  TransportLimits limits;
  limits.max_connection_age = absl::Milliseconds(300);
  limits.max_connection_age_grace = absl::Milliseconds(300);
  Start(limits);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
  const auto stream = stub_->StreamUsage(&context);
  v1::StreamUsageResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(Ask(absl::Seconds(60)), IsOk());  // on a new connection
}

TEST_F(TransportLimitsTest, MoreCallsThanAConnectionMayHaveWait) {
  TransportLimits limits;
  limits.max_concurrent_streams = 2;
  Start(limits);
  EXPECT_THAT(Ask(absl::Seconds(60)),
              IsOk());  // the limit is known from here on
  grpc::ClientContext contexts[2];
  const auto first = stub_->StreamUsage(&contexts[0]);
  const auto second = stub_->StreamUsage(&contexts[1]);
  EXPECT_THAT(Ask(absl::Milliseconds(500)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(second->WritesDone());
  EXPECT_THAT(FromGrpcStatus(second->Finish()), IsOk());
  EXPECT_THAT(Ask(absl::Seconds(60)), IsOk());
  EXPECT_TRUE(first->WritesDone());
  EXPECT_THAT(FromGrpcStatus(first->Finish()), IsOk());
}

}  // namespace
}  // namespace tokenusage
