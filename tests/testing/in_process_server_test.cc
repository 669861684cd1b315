// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/testing/in_process_server.h"

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using testing::StatusIs;

// Reports a record and returns the result.
ReportResult Report(const InProcessServer& server, const std::string& id) {
  GrpcTransportOptions options;
  options.servers = {server.address()};
  v1::ReportUsageRequest request;
  request.set_project("demo");
  *request.add_records() = testing::ValidRecord();
  request.mutable_records(0)->set_record_id(id);
  return (*NewGrpcTransport(options))
      ->Report(request.SerializeAsString(), absl::Seconds(20));
}

TEST(InProcessServerTest, KeepsItsRecordsAndAddressWhileItIsStopped) {
  ASSERT_OK_AND_ASSIGN(const auto server, InProcessServer::Start());
  const std::string address = server->address();
  EXPECT_EQ(Report(*server, "a").response.stored_count(), 1);
  server->Stop();
  EXPECT_THAT(Report(*server, "b").status,
              StatusIs(absl::StatusCode::kUnavailable));
  ASSERT_THAT(server->StartAgain(), IsOk());
  EXPECT_EQ(server->address(), address);
  EXPECT_EQ(Report(*server, "a").response.duplicate_count(), 1);
}

TEST(InProcessServerTest, UsesAStoreThatOutlivesIt) {
  const std::unique_ptr<UsageStore> store = NewMemoryStore();
  InProcessServerOptions options;
  options.store = store.get();
  {
    ASSERT_OK_AND_ASSIGN(const auto server, InProcessServer::Start(options));
    EXPECT_EQ(Report(*server, "a").response.stored_count(), 1);
  }
  EXPECT_THAT(store->GetRecord("demo", "a"), IsOk());
}

TEST(InProcessServerTest, FailsAsItIsTold) {
  ASSERT_OK_AND_ASSIGN(const auto server, InProcessServer::Start());
  server->FailReports(absl::ResourceExhaustedError(""));
  ReportResult result = Report(*server, "a");
  EXPECT_EQ(result.reason, "SERVER_BUSY");
  EXPECT_TRUE(result.pushback.has_value());
  EXPECT_THAT(server->store().GetRecord("demo", "a"),
              StatusIs(absl::StatusCode::kNotFound));
  server->FailReports(absl::UnavailableError(""), /*is_stored=*/true);
  result = Report(*server, "a");
  EXPECT_EQ(result.reason, "STORE_FAILED");
  EXPECT_THAT(server->store().GetRecord("demo", "a"), IsOk());
  server->FailReports(absl::OkStatus());
  EXPECT_EQ(Report(*server, "a").response.duplicate_count(), 1);
}

}  // namespace
}  // namespace tokenusage
