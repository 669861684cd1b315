// SPDX-License-Identifier: Apache-2.0

// StreamUsage over a real connection.

#include "tokenusage/service/rpc/usage_stream.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/service/gate_store.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {
namespace {

using testing::GateStore;
using testing::IsOk;
using testing::Nanos;
using testing::ValidRecord;
using ClientStream =
    grpc::ClientReaderWriter<v1::StreamUsageRequest, v1::StreamUsageResponse>;

v1::StreamUsageRequest Message(std::int64_t sequence, const std::string& id,
                               const std::string& project = "demo") {
  v1::StreamUsageRequest message;
  message.set_sequence(sequence);
  message.set_project(project);
  *message.add_records() = ValidRecord(id, Nanos("2026-08-01T12:00:00Z"));
  return message;
}

class UsageStreamTest : public ::testing::Test {
 protected:
  void Start(UsageReportingServiceOptions options = {}) {
    UsageServerOptions server_options;
    server_options.address = "127.0.0.1:0";
    server_options.service = std::move(options);
    auto server = UsageServer::Start(&store_, server_options);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    stub_ = v1::UsageReportingService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                            grpc::InsecureChannelCredentials()));
    Reopen();
  }

  // Opens a new stream.
  void Reopen() {
    stream_.reset();
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() +
                           std::chrono::seconds(60));
    stream_ = stub_->StreamUsage(context_.get());
  }

  // Reads one answer and checks its sequence.
  v1::ReportUsageResponse Read(std::int64_t sequence) {
    v1::StreamUsageResponse response;
    EXPECT_TRUE(stream_->Read(&response)) << sequence;
    EXPECT_EQ(response.sequence(), sequence);
    return response.report();
  }

  // Returns the status at the end of the stream, after all its answers.
  absl::Status End() {
    v1::StreamUsageResponse response;
    EXPECT_FALSE(stream_->Read(&response)) << response.DebugString();
    return FromGrpcStatus(stream_->Finish());
  }

  static std::string ReasonOf(const absl::Status& status) {
    const auto info = GetErrorInfo(status);
    return info ? info->reason : "";
  }

  bool Has(const std::string& id, const std::string& project = "demo") {
    return store_.GetRecord(project, id).ok();
  }

  GateStore store_;
  std::unique_ptr<UsageServer> server_;
  std::unique_ptr<v1::UsageReportingService::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<ClientStream> stream_;
};

TEST_F(UsageStreamTest, AnswersInOrderEachMessageByItself) {
  store_.Open();
  Start();
  auto partly = Message(2, "b");
  partly.add_records();  // empty: refused
  ASSERT_TRUE(stream_->Write(Message(1, "a")));
  ASSERT_TRUE(stream_->Write(partly));
  ASSERT_TRUE(stream_->Write(Message(3, "a")));
  ASSERT_TRUE(stream_->Write(Message(4, "a", "other")));
  v1::StreamUsageRequest empty;
  empty.set_sequence(5);
  empty.set_project("demo");
  ASSERT_TRUE(stream_->Write(empty));
  EXPECT_EQ(Read(1).stored_count(), 1);
  const v1::ReportUsageResponse second = Read(2);
  EXPECT_EQ(second.stored_count(), 1);
  ASSERT_EQ(second.errors_size(), 1);
  EXPECT_EQ(second.errors(0).index(), 1);
  EXPECT_EQ(Read(3).duplicate_count(), 1);
  EXPECT_EQ(Read(4).stored_count(), 1);
  EXPECT_EQ(Read(5).ByteSizeLong(), 0u);
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
  EXPECT_TRUE(Has("a") && Has("b") && Has("a", "other"));
}

TEST_F(UsageStreamTest, CorrectsWhatEarlierMessagesReported) {
  store_.Open();
  Start();
  const auto correction = [](std::int64_t sequence, const std::string& id,
                             const std::string& corrects) {
    auto message = Message(sequence, id);
    message.mutable_records(0)->set_corrects(corrects);
    return message;
  };
  ASSERT_TRUE(stream_->Write(correction(1, "b", "a")));
  ASSERT_TRUE(stream_->Write(Message(2, "a")));
  ASSERT_TRUE(stream_->Write(correction(3, "b", "a")));
  ASSERT_TRUE(stream_->Write(correction(4, "c", "a")));
  ASSERT_TRUE(stream_->Write(Message(5, "a")));
  const auto reason_of = [](const v1::ReportUsageResponse& response) {
    return response.errors_size() == 1 ? response.errors(0).reason()
                                       : v1::RECORD_ERROR_REASON_UNSPECIFIED;
  };
  EXPECT_EQ(reason_of(Read(1)),
            v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND);
  EXPECT_EQ(Read(2).stored_count(), 1);
  EXPECT_EQ(Read(3).stored_count(), 1);
  EXPECT_EQ(reason_of(Read(4)), v1::RECORD_ERROR_REASON_ALREADY_CORRECTED);
  EXPECT_EQ(Read(5).duplicate_count(), 1);
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
  EXPECT_EQ(store_.GetRecord("demo", "a")->corrected_by(), "b");
}

TEST_F(UsageStreamTest, AnEmptyStreamEndsWell) {
  Start();
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
}

TEST_F(UsageStreamTest, AWrongSequenceEndsItAfterTheAnswers) {
  store_.Open();
  for (const std::int64_t wrong : {0, 1, 2, 4, -3}) {
    if (server_ == nullptr) Start();
    Reopen();
    ASSERT_TRUE(stream_->Write(Message(1, "a")));
    ASSERT_TRUE(stream_->Write(Message(2, "b")));
    ASSERT_TRUE(stream_->Write(Message(wrong, "never")));
    Read(1);
    Read(2);
    const absl::Status status = End();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(ReasonOf(status), "SEQUENCE_INVALID");
    EXPECT_EQ(GetErrorInfo(status)->metadata.at("actual"),
              std::to_string(wrong));
    EXPECT_FALSE(Has("never"));
  }
}

TEST_F(UsageStreamTest, AFaultOfTheRequestEndsItAfterTheAnswers) {
  store_.Open();
  Start();
  ASSERT_TRUE(stream_->Write(Message(1, "a")));
  ASSERT_TRUE(stream_->Write(Message(2, "b", "NOT A PROJECT")));
  EXPECT_EQ(Read(1).stored_count(), 1);
  EXPECT_EQ(ReasonOf(End()), "PROJECT_INVALID");

  Reopen();
  auto many = Message(1, "c");
  for (int i = 0; i < 1000; ++i) many.add_records();
  ASSERT_TRUE(stream_->Write(many));
  EXPECT_EQ(ReasonOf(End()), "TOO_MANY_RECORDS");
}

TEST_F(UsageStreamTest, AnswersOnlyWhatIsStored) {
  Start();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(stream_->Write(Message(i, "id-" + std::to_string(i))));
  }
  store_.Await(3);
  EXPECT_FALSE(Has("id-1"));
  store_.LetThrough();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Read(i).stored_count(), 1);
    EXPECT_TRUE(Has("id-" + std::to_string(i)));
  }
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
}

TEST_F(UsageStreamTest, ReadsNoFurtherThanItMay) {
  UsageReportingServiceOptions options;
  options.limits.max_unanswered_messages = 10;
  Start(options);
  constexpr int kMessages = 100;
  std::thread writer([this] {
    for (int i = 1; i <= kMessages; ++i) {
      stream_->Write(Message(i, "id-" + std::to_string(i)));
    }
    stream_->WritesDone();
  });
  store_.Await(10);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(store_.seen(), 10u);
  store_.Open();
  for (int i = 1; i <= kMessages; ++i) EXPECT_EQ(Read(i).stored_count(), 1);
  writer.join();
  EXPECT_THAT(End(), IsOk());
}

TEST_F(UsageStreamTest, ReadsMoreThanMayBeUnansweredAtOnce) {
  store_.Open();
  UsageReportingServiceOptions options;
  options.limits.max_unanswered_bytes = 500;  // a few messages
  Start(options);
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(stream_->Write(Message(i, "id-" + std::to_string(i))));
    EXPECT_EQ(Read(i).stored_count(), 1);
  }
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
}

TEST_F(UsageStreamTest, WaitsForTheBudgetInsteadOfFailing) {
  UsageReportingServiceOptions options;
  options.limits.max_admitted_bytes = 40'000;  // a few messages
  Start(options);
  constexpr int kMessages = 200;
  // Not through stream_, which is another stream below.
  std::thread writer([stream = stream_.get()] {
    for (int i = 1; i <= kMessages; ++i) {
      stream->Write(Message(i, "id-" + std::to_string(i)));
    }
    stream->WritesDone();
  });
  store_.Await(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(store_.seen(), 10u);

  // The flood leaves room for another project.
  std::unique_ptr<ClientStream> flood = std::move(stream_);
  const auto flood_context = std::move(context_);
  Reopen();
  const std::size_t before = store_.seen();
  ASSERT_TRUE(stream_->Write(Message(1, "other", "other")));
  store_.Await(before + 1);
  stream_->WritesDone();
  store_.Open();
  EXPECT_EQ(Read(1).stored_count(), 1);
  EXPECT_THAT(End(), IsOk());

  stream_ = std::move(flood);
  for (int i = 1; i <= kMessages; ++i) EXPECT_EQ(Read(i).stored_count(), 1);
  writer.join();
  EXPECT_THAT(End(), IsOk());
  stream_.reset();
}

TEST_F(UsageStreamTest, ACutStreamIsResumedByASecondOne) {
  Start();
  for (int i = 1; i <= 6; ++i) {
    ASSERT_TRUE(stream_->Write(Message(i, "id-" + std::to_string(i))));
  }
  store_.Await(6);
  store_.LetThrough();  // all are committed, and two answers are read
  Read(1);
  Read(2);
  context_->TryCancel();
  Reopen();
  for (int i = 3; i <= 7; ++i) {
    ASSERT_TRUE(stream_->Write(Message(i - 2, "id-" + std::to_string(i))));
  }
  store_.Open();
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(Read(i).duplicate_count(), 1);
  EXPECT_EQ(Read(5).stored_count(), 1);
  stream_->WritesDone();
  EXPECT_THAT(End(), IsOk());
}

TEST_F(UsageStreamTest, WhatIsQueuedWhenTheCallerGoesIsNotStored) {
  Start();
  ASSERT_TRUE(stream_->Write(Message(1, "a")));
  store_.Await(1);
  context_->TryCancel();
  EXPECT_EQ(End().code(), absl::StatusCode::kCancelled);
  // The server notices the cancellation later than the caller.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  store_.Open();
  EXPECT_FALSE(Has("a"));
}

TEST_F(UsageStreamTest, DrainingAnswersWhatWasReadAndEnds) {
  Start();
  ASSERT_TRUE(stream_->Write(Message(1, "a")));
  ASSERT_TRUE(stream_->Write(Message(2, "b")));
  store_.Await(2);
  std::thread shutdown([this] { server_->Shutdown(absl::Seconds(30)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  store_.Open();
  EXPECT_EQ(Read(1).stored_count(), 1);
  EXPECT_EQ(Read(2).stored_count(), 1);
  const absl::Status status = End();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(ReasonOf(status), "SERVER_DRAINING");
  stream_.reset();
  stub_.reset();
  shutdown.join();
}

TEST_F(UsageStreamTest, DrainingEndsAnIdleStreamAtOnce) {
  Start();
  store_.Open();
  ASSERT_TRUE(stream_->Write(Message(1, "a")));
  Read(1);
  std::thread shutdown([this] { server_->Shutdown(absl::Seconds(30)); });
  EXPECT_EQ(ReasonOf(End()), "SERVER_DRAINING");
  stream_.reset();
  stub_.reset();
  shutdown.join();
}

}  // namespace
}  // namespace tokenusage
