// SPDX-License-Identifier: Apache-2.0

// The service over a real connection, with the store in memory or one that
// fails.

#include "tokenusage/service/usage_reporting_service.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/service/failing_store.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/internal/page_token.pb.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/testing/in_process_server.h"

namespace tokenusage {
namespace {

using testing::IsOk;

constexpr std::int64_t kNowSeconds = 1750000000;

v1::UsageRecord ValidRecord(const std::string& id) {
  return testing::ValidRecord(id, (kNowSeconds - 3600) * kNanosPerSecond);
}

class UsageReportingServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InProcessServerOptions options;
    options.service.now = [] { return absl::FromUnixSeconds(kNowSeconds); };
    auto server = InProcessServer::Start(options);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    stub_ = v1::UsageReportingService::NewStub(server_->NewChannel());
  }

  v1::ReportUsageResponse Report(const std::vector<v1::UsageRecord>& records) {
    v1::ReportUsageRequest request;
    request.set_project("demo");
    for (const auto& record : records) *request.add_records() = record;
    v1::ReportUsageResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(
        FromGrpcStatus(stub_->ReportUsage(&context, request, &response)),
        IsOk());
    return response;
  }

  v1::QueryUsageResponse QueryAll() {
    v1::QueryUsageRequest request;
    request.set_project("demo");
    request.mutable_start_time()->set_seconds(kNowSeconds - 86400);
    request.mutable_end_time()->set_seconds(kNowSeconds + 86400);
    v1::QueryUsageResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(FromGrpcStatus(stub_->QueryUsage(&context, request, &response)),
                IsOk());
    return response;
  }

  std::unique_ptr<InProcessServer> server_;
  std::unique_ptr<v1::UsageReportingService::Stub> stub_;
};

TEST_F(UsageReportingServiceTest, CountsARecordOnce) {
  const auto first = Report({ValidRecord("a"), ValidRecord("b")});
  EXPECT_EQ(first.stored_count(), 2);
  const auto again = Report({ValidRecord("a"), ValidRecord("c")});
  EXPECT_EQ(again.stored_count(), 1);
  EXPECT_EQ(again.duplicate_count(), 1);

  const auto totals = QueryAll();
  ASSERT_EQ(totals.rows_size(), 1);
  EXPECT_EQ(totals.rows(0).totals().record_count(), 3);
  EXPECT_EQ(totals.rows(0).totals().total_tokens().exact(), "24317.25");
  EXPECT_EQ(totals.rows(0).totals().total_tokens().rounded(), 24317.25);
  EXPECT_EQ(totals.rows(0).totals().input_image_tokens().exact(), "4504.98");
}

TEST_F(UsageReportingServiceTest, RefusesRecordsOneByOneInTheirOrder) {
  auto conflict = ValidRecord("a");
  conflict.set_model("other");
  auto nan = ValidRecord("n");
  nan.mutable_orq_images_edits()->set_total_tokens(std::nan(""));
  auto ahead = ValidRecord("f");
  ahead.mutable_event_time()->set_seconds(kNowSeconds + 301);

  const auto response = Report({nan, ValidRecord("a"), conflict, ahead,
                                ValidRecord("b"), v1::UsageRecord()});
  EXPECT_EQ(response.stored_count(), 2);
  EXPECT_EQ(response.duplicate_count(), 0);
  ASSERT_EQ(response.errors_size(), 4);
  const auto expect = [&](int i, int index, v1::RecordErrorReason reason,
                          const std::string& field) {
    EXPECT_EQ(response.errors(i).index(), index);
    EXPECT_EQ(response.errors(i).reason(), reason);
    EXPECT_EQ(response.errors(i).field(), field);
    EXPECT_FALSE(response.errors(i).message().empty());
  };
  expect(0, 0, v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE,
         "orq_images_edits.total_tokens");
  expect(1, 2, v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT, "record_id");
  expect(2, 3, v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE, "event_time");
  expect(3, 5, v1::RECORD_ERROR_REASON_FIELD_MISSING, "record_id");
  EXPECT_EQ(response.errors(1).record_id(), "a");
}

TEST_F(UsageReportingServiceTest, CorrectsRecordsAndNamesWhatItCannot) {
  const auto correction = [](const std::string& id,
                             const std::string& corrects) {
    v1::UsageRecord record = ValidRecord(id);
    record.set_corrects(corrects);
    return record;
  };
  v1::UsageRecord taken_back = correction("v", "b");
  taken_back.clear_usage();
  const std::string long_id(200, 'x');
  const auto response =
      Report({ValidRecord("a"), ValidRecord("b"), correction(long_id, "a"),
              taken_back, correction("c", "a"), correction("d", "missing"),
              correction("e", "e"), correction("v", "b")});
  EXPECT_EQ(response.stored_count(), 4);
  ASSERT_EQ(response.errors_size(), 4);
  const auto expect = [&](int i, int index, const std::string& id,
                          v1::RecordErrorReason reason,
                          const std::string& words) {
    const v1::RecordError& error = response.errors(i);
    EXPECT_EQ(error.index(), index);
    EXPECT_EQ(error.record_id(), id);
    EXPECT_EQ(error.reason(), reason);
    EXPECT_NE(error.message().find(words), std::string::npos)
        << error.message();
  };
  expect(0, 4, "c", v1::RECORD_ERROR_REASON_ALREADY_CORRECTED,
         "\"" + std::string(40, 'x') + "...\" corrects");
  expect(1, 5, "d", v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND,
         "\"missing\"");
  expect(2, 6, "e", v1::RECORD_ERROR_REASON_FIELD_INVALID, "another record");
  expect(3, 7, "v", v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT, "");
  for (const int i : {0, 1, 2}) {
    EXPECT_EQ(response.errors(i).field(), "corrects");
  }

  const auto totals = QueryAll();
  ASSERT_EQ(totals.rows_size(), 1);
  EXPECT_EQ(totals.rows(0).totals().record_count(), 1);
  v1::GetUsageRecordRequest request;
  request.set_project("demo");
  request.set_record_id("a");
  v1::GetUsageRecordResponse got;
  grpc::ClientContext context;
  ASSERT_THAT(FromGrpcStatus(stub_->GetUsageRecord(&context, request, &got)),
              IsOk());
  EXPECT_EQ(got.record().corrected_by(), long_id);
}

TEST_F(UsageReportingServiceTest, ReturnsRecordsAsReported) {
  Report({ValidRecord("a")});
  v1::GetUsageRecordRequest request;
  request.set_project("demo");
  request.set_record_id("a");
  v1::GetUsageRecordResponse response;
  grpc::ClientContext context;
  ASSERT_THAT(
      FromGrpcStatus(stub_->GetUsageRecord(&context, request, &response)),
      IsOk());
  EXPECT_EQ(response.record().receive_time().seconds(), kNowSeconds);
  // The provider's example contradicts itself.
  ASSERT_EQ(response.record().inconsistencies_size(), 1);
  EXPECT_EQ(response.record().inconsistencies(0).reason(),
            v1::USAGE_INCONSISTENCY_REASON_WHOLE_IS_NOT_SUM);
  EXPECT_EQ(response.record().inconsistencies(0).field(), "total_tokens");
  response.mutable_record()->clear_receive_time();
  response.mutable_record()->clear_inconsistencies();
  EXPECT_EQ(response.record().SerializeAsString(),
            ValidRecord("a").SerializeAsString());
}

TEST_F(UsageReportingServiceTest, ListsInconsistentRecordsWithTheirReasons) {
  auto unknown = ValidRecord("b");
  unknown.mutable_usage_unknown()->set_reason(v1::UNKNOWN_USAGE_REASON_NULL);
  Report({ValidRecord("a"), unknown, ValidRecord("c")});
  v1::ListUsageRecordsRequest request;
  request.set_project("demo");
  request.mutable_start_time()->set_seconds(kNowSeconds - 86400);
  request.mutable_end_time()->set_seconds(kNowSeconds + 86400);
  request.set_page_size(1);
  request.set_inconsistent_only(true);
  const auto list = [&] {
    v1::ListUsageRecordsResponse response;
    grpc::ClientContext context;
    EXPECT_THAT(
        FromGrpcStatus(stub_->ListUsageRecords(&context, request, &response)),
        IsOk());
    return response;
  };
  const auto first = list();
  ASSERT_EQ(first.records_size(), 1);
  EXPECT_EQ(first.records(0).record_id(), "a");
  EXPECT_EQ(first.records(0).inconsistencies_size(), 1);
  request.set_page_token(first.next_page_token());
  const auto second = list();
  ASSERT_EQ(second.records_size(), 1);
  EXPECT_EQ(second.records(0).record_id(), "c");
  EXPECT_EQ(second.next_page_token(), "");
  // The token is bound to the filter.
  request.set_inconsistent_only(false);
  v1::ListUsageRecordsResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(
      FromGrpcStatus(stub_->ListUsageRecords(&context, request, &response))
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(UsageReportingServiceTest, TotalsSayHowManyRecordsStateAMeasure) {
  auto chat = ValidRecord("a");
  chat.mutable_openai_chat()->set_prompt_tokens(10);
  chat.mutable_openai_chat()->set_completion_tokens(5);
  chat.mutable_openai_chat()->set_total_tokens(15);
  auto cached = chat;
  cached.set_record_id("b");
  cached.mutable_openai_chat()
      ->mutable_prompt_tokens_details()
      ->set_cached_tokens(0);
  auto unknown = chat;
  unknown.set_record_id("c");
  unknown.mutable_usage_unknown()->set_reason(v1::UNKNOWN_USAGE_REASON_NULL);
  Report({chat, cached, unknown, ValidRecord("d")});
  const auto response = QueryAll();
  ASSERT_EQ(response.rows_size(), 1);
  const v1::UsageTotals& totals = response.rows(0).totals();
  EXPECT_EQ(totals.record_count(), 4);
  EXPECT_EQ(totals.inconsistent_record_count(), 1);
  EXPECT_EQ(totals.unknown_usage_record_count(), 1);
  EXPECT_EQ(totals.total_tokens().exact(), "8135.75");
  EXPECT_EQ(totals.total_tokens().record_count(), 3);
  EXPECT_EQ(totals.cache_read_tokens().exact(), "0");
  EXPECT_EQ(totals.cache_read_tokens().record_count(), 1);
  EXPECT_FALSE(totals.has_reasoning_tokens());
}

TEST_F(UsageReportingServiceTest, SaysThatARecordDoesNotExist) {
  v1::GetUsageRecordRequest request;
  request.set_project("demo");
  request.set_record_id("nobody");
  v1::GetUsageRecordResponse response;
  grpc::ClientContext context;
  const absl::Status status =
      FromGrpcStatus(stub_->GetUsageRecord(&context, request, &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(GetErrorInfo(status)->reason, "RECORD_NOT_FOUND");
}

TEST_F(UsageReportingServiceTest, ListsInPagesWithoutGapsOrRepeats) {
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 25; ++i) {
    records.push_back(ValidRecord("id-" + std::to_string(100 + i)));
    // Several share a time, so that ids decide.
    records.back().mutable_event_time()->set_seconds(kNowSeconds - i / 4);
  }
  Report(records);
  v1::ListUsageRecordsRequest request;
  request.set_project("demo");
  request.mutable_start_time()->set_seconds(kNowSeconds - 86400);
  request.mutable_end_time()->set_seconds(kNowSeconds + 1);
  request.set_page_size(4);
  std::vector<std::pair<std::int64_t, std::string>> seen;
  do {
    v1::ListUsageRecordsResponse response;
    grpc::ClientContext context;
    ASSERT_THAT(
        FromGrpcStatus(stub_->ListUsageRecords(&context, request, &response)),
        IsOk());
    EXPECT_LE(response.records_size(), 4);
    for (const auto& record : response.records()) {
      seen.emplace_back(record.event_time().seconds(), record.record_id());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  ASSERT_EQ(seen.size(), 25u);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_LT(seen[i - 1], seen[i]);
  }
}

TEST_F(UsageReportingServiceTest, ListsProjectsInPages) {
  for (const char* project : {"c", "a", "b"}) {
    ASSERT_THAT(server_->store().Append(project,
                                        testing::CheckedOf({ValidRecord("a")})),
                IsOk());
  }
  ASSERT_THAT(
      server_->store().maintenance()->RemoveRecordsBefore(
          "b", absl::FromUnixSeconds(kNowSeconds / 3600 * 3600), CallLimits()),
      IsOk());
  v1::ListProjectsRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  do {
    grpc::ClientContext context;
    v1::ListProjectsResponse response;
    ASSERT_THAT(
        FromGrpcStatus(stub_->ListProjects(&context, request, &response)),
        IsOk());
    for (const v1::Project& project : response.projects()) {
      names.push_back(project.name());
      EXPECT_EQ(project.has_horizon_time(), project.name() == "b");
      EXPECT_EQ(project.horizon_time().seconds(),
                project.name() == "b" ? kNowSeconds / 3600 * 3600 : 0);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c"}));
  request.set_page_token("x");
  grpc::ClientContext context;
  v1::ListProjectsResponse response;
  EXPECT_EQ(GetErrorInfo(FromGrpcStatus(
                             stub_->ListProjects(&context, request, &response)))
                ->reason,
            "PAGE_TOKEN_INVALID");
}

TEST_F(UsageReportingServiceTest, OrdersRowsByAMeasureAcrossProjects) {
  for (int i = 0; i < 6; ++i) {
    v1::UsageRecord record = ValidRecord("id");
    record.mutable_token_usage()->set_cost_usd(i % 3);
    const std::string project(1, static_cast<char>('a' + i));
    ASSERT_THAT(server_->store().Append(project, testing::CheckedOf({record})),
                IsOk());
  }
  v1::QueryUsageRequest request;
  request.set_project("-");
  request.mutable_start_time()->set_seconds(kNowSeconds - 86400);
  request.mutable_end_time()->set_seconds(kNowSeconds + 86400);
  request.add_group_by("project");
  request.set_order_by("cost_usd");
  request.set_page_size(2);
  std::string rows;
  do {
    grpc::ClientContext context;
    v1::QueryUsageResponse response;
    ASSERT_THAT(FromGrpcStatus(stub_->QueryUsage(&context, request, &response)),
                IsOk());
    for (const v1::UsageRow& row : response.rows()) {
      rows += row.group(0).value() + row.totals().cost_usd().exact() + " ";
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(rows, "c2 f2 b1 e1 a0 d0 ");
}

TEST_F(UsageReportingServiceTest, SaysThatARequestCannotBeParsed) {
  // A project that is not UTF-8, sent as a message type that does not check it.
  internal::PageToken bytes;
  bytes.GetReflection()->MutableUnknownFields(&bytes)->AddLengthDelimited(
      1, "\xff\xfe");
  for (const char* method :
       {"ReportUsage", "QueryUsage", "GetUsageRecord", "ListUsageRecords"}) {
    grpc::TemplatedGenericStub<internal::PageToken, internal::PageToken> stub(
        server_->NewChannel());
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    internal::PageToken response;
    grpc::Status status;
    auto call = stub.PrepareUnaryCall(
        &context, std::string("/tokenusage.v1.UsageReportingService/") + method,
        bytes, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    const absl::Status error = FromGrpcStatus(status);
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument) << method;
    ASSERT_TRUE(GetErrorInfo(error).has_value()) << method;
    EXPECT_EQ(GetErrorInfo(error)->reason, "REQUEST_MALFORMED");
  }
}

struct StoreFailure {
  absl::StatusCode store_code;
  absl::StatusCode caller_code;
  std::string reason;
  bool has_pushback;
  bool is_logged;
};

// Returns the status at the end of a stream of one record.
absl::Status StreamOne(v1::UsageReportingService::Stub* stub,
                       const v1::UsageRecord& record) {
  grpc::ClientContext context;
  const auto stream = stub->StreamUsage(&context);
  v1::StreamUsageRequest request;
  request.set_sequence(1);
  request.set_project("demo");
  *request.add_records() = record;
  stream->Write(request);
  v1::StreamUsageResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const absl::Status status = FromGrpcStatus(stream->Finish());
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"),
            0u);
  return status;
}

TEST(UsageReportingServiceErrorTest, TooManyRowsToOrderAreTheRequestsFault) {
  FailingStore store(absl::OutOfRangeError("/secret/path"));
  int failures = 0;
  InProcessServerOptions options;
  options.store = &store;
  options.service.observer.on_store_failure = [&](const absl::Status&) {
    ++failures;
  };
  const auto server = InProcessServer::Start(options);
  ASSERT_THAT(server, IsOk());
  const auto stub = v1::UsageReportingService::NewStub((*server)->NewChannel());
  v1::QueryUsageRequest request;
  request.set_project("demo");
  request.mutable_start_time()->set_seconds(kNowSeconds - 86400);
  request.mutable_end_time()->set_seconds(kNowSeconds);
  request.set_order_by("record_count");
  v1::QueryUsageResponse response;
  grpc::ClientContext context;
  const absl::Status status =
      FromGrpcStatus(stub->QueryUsage(&context, request, &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorInfo(status)->reason, "ORDER_BY_INVALID");
  EXPECT_EQ(GetErrorInfo(status)->metadata.at("limit"), "100000");
  EXPECT_EQ(failures, 0);
}

class StoreFailureTest : public ::testing::TestWithParam<StoreFailure> {};

TEST_P(StoreFailureTest, TellsTheOperatorWhyAndTheCallerWhatToDo) {
  FailingStore store(absl::Status(GetParam().store_code, "/secret/path"));
  std::vector<std::string> logged;
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  options.service.observer.on_store_failure = [&](const absl::Status& status) {
    logged.emplace_back(status.message());
  };
  auto server = UsageServer::Start(&store, options);
  ASSERT_THAT(server, IsOk());
  const auto stub = v1::UsageReportingService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string((*server)->port()),
                          grpc::InsecureChannelCredentials()));

  v1::ReportUsageRequest request;
  request.set_project("demo");
  *request.add_records() = ValidRecord("a");
  v1::ReportUsageResponse response;
  grpc::ClientContext context;
  const absl::Status status =
      FromGrpcStatus(stub->ReportUsage(&context, request, &response));
  const absl::Status of_stream = StreamOne(stub.get(), ValidRecord("a"));
  (*server)->Shutdown(absl::Seconds(5));

  EXPECT_EQ(status.code(), GetParam().caller_code);
  ASSERT_TRUE(GetErrorInfo(status).has_value());
  EXPECT_EQ(GetErrorInfo(status)->reason, GetParam().reason);
  EXPECT_EQ(status.message().find("secret"), absl::string_view::npos);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"),
            GetParam().has_pushback ? 1u : 0u);
  EXPECT_EQ(logged.size(), GetParam().is_logged ? 2u : 0u);
  // A stream has no pushback: it is not told that the server is busy.
  const bool is_busy = GetParam().reason == "SERVER_BUSY";
  EXPECT_EQ(of_stream.code(),
            is_busy ? absl::StatusCode::kUnavailable : GetParam().caller_code);
  ASSERT_TRUE(GetErrorInfo(of_stream).has_value());
  EXPECT_EQ(GetErrorInfo(of_stream)->reason,
            is_busy ? "STORE_FAILED" : GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    All, StoreFailureTest,
    ::testing::Values(StoreFailure{absl::StatusCode::kUnavailable,
                                   absl::StatusCode::kUnavailable,
                                   "STORE_FAILED", true, true},
                      StoreFailure{absl::StatusCode::kDataLoss,
                                   absl::StatusCode::kDataLoss, "STORE_DAMAGED",
                                   false, true},
                      StoreFailure{absl::StatusCode::kDeadlineExceeded,
                                   absl::StatusCode::kDeadlineExceeded,
                                   "REPORT_TIMED_OUT", false, false},
                      StoreFailure{absl::StatusCode::kResourceExhausted,
                                   absl::StatusCode::kResourceExhausted,
                                   "SERVER_BUSY", true, false}));

}  // namespace
}  // namespace tokenusage
