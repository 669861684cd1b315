// SPDX-License-Identifier: Apache-2.0

#include "gateway.h"

#include <memory>

#include "gtest/gtest.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/testing/in_process_server.h"

namespace {

using tokenusage::v1::UsageRecord;

constexpr char kResponse[] =
    R"({"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o",
        "choices":[{"index":0,"finish_reason":"stop",
                    "message":{"role":"assistant","content":"Hello"}}],
        "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}})";

constexpr char kStream[] =
    R"(data: {"id":"chatcmpl-2","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hi"}}],"usage":null}

data: {"id":"chatcmpl-2","object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}

data: [DONE]

)";

class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = tokenusage::InProcessServer::Start();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    tokenusage::GrpcTransportOptions connection;
    connection.servers = {server_->address()};
    auto transport = tokenusage::NewGrpcTransport(connection);
    ASSERT_TRUE(transport.ok()) << transport.status();
    tokenusage::UsageReporterOptions options;
    options.project = "demo";
    options.durability = tokenusage::Durability::kProcess;
    options.spool_folder = ::testing::TempDir() + "/spool";
    auto reporter = tokenusage::UsageReporter::Start(std::move(options),
                                                     *std::move(transport));
    ASSERT_TRUE(reporter.ok()) << reporter.status();
    reporter_ = *std::move(reporter);
    gateway_ = std::make_unique<Gateway>(
        *tokenusage::FindDialect("openai.chat"), reporter_.get());
  }

  UsageRecord Stored(const char* id) {
    EXPECT_TRUE(reporter_->Flush(absl::Seconds(20)).ok());
    auto record = server_->store().GetRecord("demo", id);
    EXPECT_TRUE(record.ok()) << record.status();
    return record.ok() ? *std::move(record) : UsageRecord();
  }

  std::unique_ptr<tokenusage::InProcessServer> server_;
  std::unique_ptr<tokenusage::UsageReporter> reporter_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(GatewayTest, ReportsTheUsageOfAResponse) {
  gateway_->OnResponse(kResponse, "acme");
  const UsageRecord record = Stored("chatcmpl-1");
  EXPECT_EQ(record.model(), "gpt-4o");
  EXPECT_EQ(record.labels().at("customer"), "acme");
  EXPECT_EQ(record.openai_chat().total_tokens(), 21);
}

TEST_F(GatewayTest, ReportsTheUsageOfAStream) {
  Gateway::Stream stream(gateway_.get(), "acme");
  const std::string_view events = kStream;
  stream.OnChunk(events.substr(0, 100));
  stream.OnChunk(events.substr(100));
  stream.OnEnd();
  EXPECT_EQ(Stored("chatcmpl-2").openai_chat().total_tokens(), 12);
}

TEST_F(GatewayTest, ReportsWhileTheServiceIsAway) {
  server_->Stop();
  gateway_->OnResponse(kResponse, "acme");
  ASSERT_TRUE(server_->StartAgain().ok());
  EXPECT_EQ(Stored("chatcmpl-1").openai_chat().total_tokens(), 21);
}

}  // namespace
