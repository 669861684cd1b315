// SPDX-License-Identifier: Apache-2.0

// The service asks its Authorizer about each call, and obeys it.

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/testing/in_process_server.h"

namespace tokenusage {
namespace {

using testing::IsOk;

// Uses the token as the caller and the caller's only project.
class TrustingAuthorizer final : public Authorizer {
 public:
  absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const CallOrigin& origin) const override {
    if (origin.authorization.empty()) {
      return ErrorWithInfo(absl::StatusCode::kUnauthenticated,
                           "CREDENTIALS_MISSING", "who?");
    }
    const std::string name(origin.authorization.front());
    std::set<Role> roles = {Role::kReport, Role::kQuery};
    if (name == "reporter") roles = {Role::kReport};
    if (name == "reader") roles = {Role::kQuery};
    return std::make_shared<const Caller>(Caller{name, {name}, roles});
  }
};

class AuthorizationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InProcessServerOptions options;
    options.service.authorizer = std::make_shared<const TrustingAuthorizer>();
    auto server = InProcessServer::Start(options);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    stub_ = v1::UsageReportingService::NewStub(server_->NewChannel());
  }

  template <typename Request, typename Response>
  std::string ReasonOf(grpc::Status (v1::UsageReportingService::Stub::*method)(
                           grpc::ClientContext*, const Request&, Response*),
                       const std::string& who, const std::string& project) {
    Request request;
    request.set_project(project);
    Response response;
    grpc::ClientContext context;
    if (!who.empty()) context.AddMetadata("authorization", who);
    const absl::Status status =
        FromGrpcStatus((stub_.get()->*method)(&context, request, &response));
    return status.ok() ? "OK" : GetErrorInfo(status)->reason;
  }

  std::unique_ptr<InProcessServer> server_;
  std::unique_ptr<v1::UsageReportingService::Stub> stub_;
};

using Stub = v1::UsageReportingService::Stub;

TEST_F(AuthorizationTest, EveryMethodAsksWhoCalls) {
  EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "", "a"), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "", "a"), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOf(&Stub::GetUsageRecord, "", "a"), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOf(&Stub::ListUsageRecords, "", "a"), "CREDENTIALS_MISSING");
}

TEST_F(AuthorizationTest, EveryMethodChecksTheProject) {
  EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "a", "b"), "PROJECT_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "a", "b"), "PROJECT_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::GetUsageRecord, "a", "b"), "PROJECT_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::ListUsageRecords, "a", "b"), "PROJECT_FORBIDDEN");
}

TEST_F(AuthorizationTest, ShowsOnlyTheProjectsOfTheCaller) {
  // Callers may only report to their own project.
  for (const std::string who : {"a", "b", "reporter"}) {
    v1::ReportUsageRequest request;
    request.set_project(who);
    *request.add_records() =
        testing::ValidRecord("id", testing::Nanos("2025-06-01T00:00:00Z"));
    v1::ReportUsageResponse response;
    grpc::ClientContext context;
    context.AddMetadata("authorization", who);
    ASSERT_THAT(
        FromGrpcStatus(stub_->ReportUsage(&context, request, &response)),
        IsOk());
    ASSERT_EQ(response.stored_count(), 1);
  }
  const auto projects_of = [&](const std::string& who) -> std::string {
    grpc::ClientContext context;
    if (!who.empty()) context.AddMetadata("authorization", who);
    v1::ListProjectsResponse response;
    const absl::Status status =
        FromGrpcStatus(stub_->ListProjects(&context, {}, &response));
    if (!status.ok()) return GetErrorInfo(status)->reason;
    std::string names;
    for (const v1::Project& project : response.projects()) {
      names += project.name() + " ";
    }
    return names;
  };
  EXPECT_EQ(projects_of("a"), "a ");
  EXPECT_EQ(projects_of("b"), "b ");
  EXPECT_EQ(projects_of("reader"), "");  // it has no records
  EXPECT_EQ(projects_of("reporter"), "ROLE_FORBIDDEN");
  EXPECT_EQ(projects_of(""), "CREDENTIALS_MISSING");

  // Across all projects, and with a filter on others.
  v1::QueryUsageRequest query;
  query.set_project("-");
  query.mutable_start_time()->set_seconds(1'700'000'000);
  query.mutable_end_time()->set_seconds(1'800'000'000);
  query.add_group_by("project");
  for (const bool filtered : {false, true}) {
    if (filtered) {
      query.add_filters()->set_field("project");
      query.mutable_filters(0)->add_values("b");
    }
    grpc::ClientContext context;
    context.AddMetadata("authorization", "a");
    v1::QueryUsageResponse response;
    ASSERT_THAT(FromGrpcStatus(stub_->QueryUsage(&context, query, &response)),
                IsOk());
    ASSERT_EQ(response.rows_size(), filtered ? 0 : 1);
    if (!filtered) {
      EXPECT_EQ(response.rows(0).group(0).value(), "a");
    }
  }
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "reporter", "-"), "ROLE_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "", "-"), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "a", "-"), "PROJECT_INVALID");
  EXPECT_EQ(ReasonOf(&Stub::ListUsageRecords, "a", "-"), "PROJECT_INVALID");
}

TEST_F(AuthorizationTest, EveryMethodChecksTheRole) {
  EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "reporter", "reporter"), "OK");
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "reporter", "reporter"),
            "ROLE_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::GetUsageRecord, "reporter", "reporter"),
            "ROLE_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::ListUsageRecords, "reporter", "reporter"),
            "ROLE_FORBIDDEN");
  EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "reader", "reader"), "ROLE_FORBIDDEN");
  // Past the authorisation: the window is missing.
  EXPECT_EQ(ReasonOf(&Stub::QueryUsage, "reader", "reader"),
            "TIME_WINDOW_INVALID");
}

// Returns the number of answers to a stream of empty batches to these projects,
// and the reason of the error at its end, or "OK".
std::pair<int, std::string> StreamOutcome(
    Stub* stub, const std::string& who,
    const std::vector<std::string>& projects) {
  grpc::ClientContext context;
  if (!who.empty()) context.AddMetadata("authorization", who);
  auto stream = stub->StreamUsage(&context);
  std::int64_t sequence = 0;
  for (const std::string& project : projects) {
    v1::StreamUsageRequest request;
    request.set_sequence(++sequence);
    request.set_project(project);
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  int answers = 0;
  for (v1::StreamUsageResponse response; stream->Read(&response);) ++answers;
  const absl::Status status = FromGrpcStatus(stream->Finish());
  return {answers, status.ok() ? "OK" : GetErrorInfo(status)->reason};
}

TEST_F(AuthorizationTest, EveryMessageOfAStreamIsChecked) {
  using Outcome = std::pair<int, std::string>;
  EXPECT_EQ(StreamOutcome(stub_.get(), "a", {"a", "a", "a"}), Outcome(3, "OK"));
  EXPECT_EQ(StreamOutcome(stub_.get(), "a", {"a", "b", "a"}),
            Outcome(1, "PROJECT_FORBIDDEN"));
  EXPECT_EQ(StreamOutcome(stub_.get(), "reader", {"reader"}),
            Outcome(0, "ROLE_FORBIDDEN"));
  EXPECT_EQ(StreamOutcome(stub_.get(), "", {"a"}),
            Outcome(0, "CREDENTIALS_MISSING"));
}

TEST_F(AuthorizationTest, CallersOfOneConnectionAreToldApart) {
  std::vector<std::thread> threads;
  for (const std::string who : {"a", "b", "c", "d"}) {
    threads.emplace_back([this, who] {
      for (int i = 0; i < 200; ++i) {
        const std::string other = who == "a" ? "b" : "a";
        EXPECT_EQ(ReasonOf(&Stub::ReportUsage, who, who), "OK");
        EXPECT_EQ(ReasonOf(&Stub::ReportUsage, who, other),
                  "PROJECT_FORBIDDEN");
        EXPECT_EQ(ReasonOf(&Stub::ReportUsage, "", who), "CREDENTIALS_MISSING");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tokenusage
