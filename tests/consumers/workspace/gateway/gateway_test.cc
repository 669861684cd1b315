// SPDX-License-Identifier: Apache-2.0

// Uses tokenusage as a project that imports it does: converts messages, its own
// included, from and to JSON, and calls a service in the process of its tests.

#include <chrono>
#include <memory>
#include <string>

#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "proto/invoice.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/orq/v2/images.pb.h"
#include "tokenusage/testing/in_process_server.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace acme {
namespace {

constexpr char kEditsJson[] =
    R"({"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442.01,)"
    R"("input_tokens_details":{"text_tokens":5727.82,"image_tokens":1501.66}})";

TEST(GatewayTest, ReadsAndWritesTheProvidersMessages) {
  tokenusage::orq::v2::PostV2ProxyImagesEditsUsage usage;
  ASSERT_EQ(tokenusage::ParseJson(kEditsJson, &usage), absl::OkStatus());
  EXPECT_EQ(usage.input_tokens_details().text_tokens(), 5727.82);
  EXPECT_EQ(tokenusage::WriteJson(usage).value(), kEditsJson);
}

TEST(GatewayTest, ReadsAndWritesItsOwnMessages) {
  const std::string json =
      std::string(R"({"customer":"7","call_time":"2026-01-31T23:59:59Z",)") +
      R"("usage":{"total_tokens":0.5,"model":"gpt-image-1"},"image_edits":)" +
      kEditsJson + "}";
  InvoiceLine line;
  ASSERT_EQ(tokenusage::ParseJson(json, &line), absl::OkStatus());
  EXPECT_EQ(line.usage().total_tokens(), 0.5);
  EXPECT_EQ(line.image_edits().total_tokens(), 8105.75);
  EXPECT_EQ(tokenusage::WriteJson(line).value(), json);
}

TEST(GatewayTest, LearnsWhichFieldIsMissing) {
  InvoiceLine line;
  const auto status =
      tokenusage::ParseJson(R"({"usage":{"total_tokens":null}})", &line);
  EXPECT_NE(status.message().find("usage.total_tokens"), status.message().npos)
      << status;
}

TEST(GatewayTest, ReportsToAServiceInItsOwnProcess) {
  const auto server = tokenusage::InProcessServer::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const auto stub =
      tokenusage::v1::UsageReportingService::NewStub((*server)->NewChannel());

  tokenusage::v1::ReportUsageRequest request;
  request.set_project("acme");
  auto* record = request.add_records();
  record->set_record_id("call-1");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  record->mutable_event_time()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
  record->set_operation("images.edits");
  ASSERT_EQ(
      tokenusage::ParseJson(kEditsJson, record->mutable_orq_images_edits()),
      absl::OkStatus());

  for (const int stored : {1, 0}) {  // The second time, it is a duplicate.
    tokenusage::v1::ReportUsageResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub->ReportUsage(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.stored_count(), stored);
    EXPECT_EQ(response.duplicate_count(), 1 - stored);
    EXPECT_EQ(response.errors_size(), 0);
  }
}

}  // namespace
}  // namespace acme
