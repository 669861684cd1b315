// SPDX-License-Identifier: Apache-2.0

// The server under more load than it can handle.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "tests/service/gate_store.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/sqlite/store.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage {
namespace {

using testing::GateStore;
using testing::IsOk;
using testing::Nanos;
using ::testing::Not;
using testing::ValidRecord;

v1::ReportUsageRequest Request(const std::string& project,
                               const std::string& id, int records = 1) {
  v1::ReportUsageRequest request;
  request.set_project(project);
  for (int i = 0; i < records; ++i) {
    *request.add_records() = ValidRecord(id + "-" + std::to_string(i),
                                         Nanos("2026-08-01T12:00:00Z"));
  }
  return request;
}

std::unique_ptr<UsageServer> Start(UsageStore* store,
                                   UsageReportingServiceOptions options = {}) {
  UsageServerOptions server_options;
  server_options.address = "127.0.0.1:0";
  server_options.service = std::move(options);
  auto server = UsageServer::Start(store, server_options);
  EXPECT_THAT(server, IsOk());
  return server.ok() ? *std::move(server) : nullptr;
}

std::shared_ptr<grpc::Channel> Channel(const UsageServer& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // its own socket
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server.port()),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

struct Answer {
  absl::Status status;
  bool has_pushback = false;
  v1::ReportUsageResponse response;
};

Answer Report(v1::UsageReportingService::Stub* stub,
              const v1::ReportUsageRequest& request,
              absl::Duration timeout = absl::Seconds(60)) {
  Answer answer;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  answer.status =
      FromGrpcStatus(stub->ReportUsage(&context, request, &answer.response));
  answer.has_pushback =
      context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms") > 0;
  return answer;
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = GetErrorInfo(status);
  return info ? info->reason : "";
}

TEST(OverloadTest, RefusesAboveTheBudgetAndLeavesRoomForOthers) {
  GateStore store;
  UsageReportingServiceOptions options;
  options.limits.max_admitted_bytes = 100'000;
  const auto server = Start(&store, options);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  std::vector<std::thread> callers;
  std::atomic<int> refused{0};
  std::atomic<int> stored{0};
  for (int i = 0; i < 40; ++i) {
    callers.emplace_back([&, i] {
      const Answer answer =
          Report(stub.get(), Request("flood", std::to_string(i)));
      if (answer.status.ok()) {
        ++stored;
      } else {
        EXPECT_EQ(answer.status.code(), absl::StatusCode::kResourceExhausted);
        EXPECT_EQ(ReasonOf(answer.status), "SERVER_BUSY");
        EXPECT_TRUE(answer.has_pushback);
        ++refused;
      }
    });
  }
  while (refused + static_cast<int>(store.seen()) < 40) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_GT(refused, 10);  // at once, while the store answers nothing
  const std::size_t before = store.seen();
  callers.emplace_back([&] {
    EXPECT_THAT(Report(stub.get(), Request("other", "a")).status, IsOk());
  });
  store.Await(before + 1);
  store.Open();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(stored + refused, 40);
  EXPECT_THAT(Report(stub.get(), Request("flood", "again")).status, IsOk());
}

absl::Status Query(v1::UsageReportingService::Stub* stub,
                   const std::string& project) {
  v1::QueryUsageRequest request;
  request.set_project(project);
  request.mutable_start_time()->set_seconds(1'700'000'000);
  request.mutable_end_time()->set_seconds(1'800'000'000);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
  v1::QueryUsageResponse response;
  return FromGrpcStatus(stub->QueryUsage(&context, request, &response));
}

TEST(OverloadTest, SlowQueriesDoNotDelayAnotherProject) {
  GateStore store;
  const auto server = Start(&store);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  std::vector<std::thread> callers;
  for (int i = 0; i < 40; ++i) {
    callers.emplace_back(
        [&] { EXPECT_THAT(Query(stub.get(), "slow"), IsOk()); });
  }
  // Slow queries that wait are never ahead of these, whenever they arrive.
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(Query(stub.get(), "other"), IsOk());
  }
  store.Open();
  for (std::thread& caller : callers) caller.join();
}

TEST(OverloadTest, AQueryEndsAtTheServersOwnLimit) {
  GateStore store;
  UsageReportingServiceOptions options;
  options.limits.max_read_time = absl::Milliseconds(100);
  const auto server = Start(&store, options);
  const absl::Status status =
      Query(v1::UsageReportingService::NewStub(Channel(*server)).get(), "slow");
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ReasonOf(status), "QUERY_TIMED_OUT");
}

TEST(OverloadTest, WhatExpiresInTheQueueIsNotStored) {
  GateStore store;
  const auto server = Start(&store);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  const Answer answer =
      Report(stub.get(), Request("demo", "late"), absl::Milliseconds(300));
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kDeadlineExceeded);
  store.Await(1);
  const bool has_deadline =
      store.FirstDeadline() < absl::Now() + absl::Seconds(1);
  EXPECT_TRUE(has_deadline) << "the caller's deadline does not reach the store";
  if (has_deadline) store.AwaitLimits();
  store.Open();
  EXPECT_THAT(store.GetRecord("demo", "late-0"), Not(IsOk()));
  EXPECT_THAT(Report(stub.get(), Request("demo", "late")).status, IsOk());
}

TEST(OverloadTest, CountsRecordsBeforeTheyTakeMemory) {
  GateStore store;
  store.Open();
  const auto server = Start(&store);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  v1::ReportUsageRequest request;
  request.set_project("demo");
  for (int i = 0; i < 500'000; ++i) request.add_records();
  const Answer answer = Report(stub.get(), request);
  EXPECT_EQ(ReasonOf(answer.status), "TOO_MANY_RECORDS");
  EXPECT_EQ(GetErrorInfo(answer.status)->metadata.at("actual"), "500000");
}

// Waits for the next step of a call; returns whether it succeeded.
bool AwaitStep(grpc::CompletionQueue* queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue->Next(&tag, &ok) && ok;
}

TEST(OverloadTest, AnAnswerThatIsNotReadIsCancelled) {
  GateStore store;
  store.Open();
  UsageReportingServiceOptions options;
  options.limits.max_answer_time = absl::Milliseconds(200);
  const auto server = Start(&store, options);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  v1::ReportUsageRequest request = Request("demo", "a", 200);
  for (v1::UsageRecord& record : *request.mutable_records()) {
    for (int i = 0; i < 12; ++i) {
      (*record.mutable_labels())["label-" + std::to_string(i)] =
          std::string(250, 'x');
    }
  }
  EXPECT_EQ(Report(stub.get(), request).response.stored_count(), 200);

  // A caller that sends its request and then reads nothing.
  v1::ListUsageRecordsRequest list;
  list.set_project("demo");
  list.mutable_start_time()->set_seconds(1'700'000'000);
  list.mutable_end_time()->set_seconds(1'800'000'000);
  const grpc::Slice slice(list.SerializeAsString());
  grpc::ChannelArguments small_window;
  small_window.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  small_window.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 << 10);
  small_window.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::GenericStub generic(grpc::CreateCustomChannel(
      "127.0.0.1:" + std::to_string(server->port()),
      grpc::InsecureChannelCredentials(), small_window));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  const auto call = generic.PrepareCall(
      &context, "/tokenusage.v1.UsageReportingService/ListUsageRecords",
      &queue);
  call->StartCall(nullptr);
  EXPECT_TRUE(AwaitStep(&queue));
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  EXPECT_TRUE(AwaitStep(&queue));
  absl::SleepFor(absl::Seconds(1));
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  EXPECT_FALSE(AwaitStep(&queue));
  grpc::Status status;
  call->Finish(&status, nullptr);
  EXPECT_TRUE(AwaitStep(&queue));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  // One that reads is answered, and nothing of the call is left.
  grpc::ClientContext reader;
  v1::ListUsageRecordsResponse response;
  EXPECT_THAT(FromGrpcStatus(stub->ListUsageRecords(&reader, list, &response)),
              IsOk());
  EXPECT_EQ(response.records_size(), 200);
}

long PeakKilobytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Calls ReportUsage with `slices` megabytes of zeros, compressed.
grpc::Status SendBomb(const UsageServer& server, int slices,
                      grpc_compression_algorithm algorithm) {
  const grpc::Slice megabyte(std::string(1 << 20, '\0'));
  const std::vector<grpc::Slice> all(static_cast<std::size_t>(slices),
                                     megabyte);
  const grpc::ByteBuffer request(all.data(), all.size());
  grpc::GenericStub stub(Channel(server));
  grpc::ClientContext context;
  context.set_compression_algorithm(algorithm);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(
      &context, "/tokenusage.v1.UsageReportingService/ReportUsage", request,
      &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  return status;
}

// A caller may set compression for the whole channel.
TEST(OverloadTest, CompressedRequestsAreTaken) {
  GateStore store;
  store.Open();
  const auto server = Start(&store);
  const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::ReportUsageResponse response;
  ASSERT_THAT(FromGrpcStatus(stub->ReportUsage(
                  &context, Request("demo", "a", 1000), &response)),
              IsOk());
  EXPECT_EQ(response.stored_count(), 1000);
}

// A kilobyte of gzip is a megabyte of zeros. The caller is in this process as
// well, so its message repeats a single megabyte.
TEST(OverloadTest, BombsAreUnpackedUpToTheLimit) {
  GateStore store;
  store.Open();
  const auto server = Start(&store);
  for (const auto& [algorithm, code] :
       {std::pair(GRPC_COMPRESS_GZIP, absl::StatusCode::kInvalidArgument),
        std::pair(GRPC_COMPRESS_DEFLATE, absl::StatusCode::kUnimplemented)}) {
    EXPECT_EQ(FromGrpcStatus(SendBomb(*server, 2, algorithm)).code(), code);
    const long before = PeakKilobytes();
    const absl::Status status =
        FromGrpcStatus(SendBomb(*server, 256, algorithm));
    EXPECT_EQ(status.code(), code);
    if (algorithm == GRPC_COMPRESS_GZIP) {
      const auto info = GetErrorInfo(status);
      ASSERT_TRUE(info);
      EXPECT_EQ(info->reason, "REQUEST_TOO_LARGE");
    }
    EXPECT_LT(PeakKilobytes() - before, 64 << 10);
  }
  EXPECT_THAT(Report(v1::UsageReportingService::NewStub(Channel(*server)).get(),
                     Request("demo", "a"))
                  .status,
              IsOk());
}

// Returns the number of the flood's batches that are stored while a single
// report waits: the median over several.
int MedianBatchesBefore(v1::UsageReportingService::Stub* stub,
                        const std::atomic<int>& batches, int calls) {
  std::vector<int> counts;
  for (int i = 0; i < calls; ++i) {
    const int before = batches;
    EXPECT_THAT(Report(stub, Request("small", std::to_string(i))).status,
                IsOk());
    counts.push_back(batches - before);
  }
  std::nth_element(counts.begin(), counts.begin() + calls / 2, counts.end());
  return counts[static_cast<std::size_t>(calls / 2)];
}

// Without turns, a report waits for everything that the flood has queued, about
// one batch for each of its threads. With turns it waits for the commit in
// progress, for its own, and now and then for one batch between them.
TEST(OverloadTest, AFloodDoesNotStarveAnotherProject) {
  constexpr int kThreads = 20;
  SqliteStoreOptions options;
  options.max_records_per_commit = 1000;
  const auto store =
      OpenSqliteStore(testing::NewFolder() + "/usage.db", options).value();
  const auto server = Start(store.get());
  const auto small = v1::UsageReportingService::NewStub(Channel(*server));
  std::atomic<bool> stop{false};
  std::atomic<int> batches{0};
  std::vector<std::thread> flood;
  for (int t = 0; t < kThreads; ++t) {
    flood.emplace_back([&, t] {
      const auto stub = v1::UsageReportingService::NewStub(Channel(*server));
      for (int i = 0; !stop; ++i) {
        const Answer answer =
            Report(stub.get(),
                   Request("flood", std::to_string(t) + "-" + std::to_string(i),
                           1000));
        if (answer.status.ok()) {
          ++batches;
        } else {
          EXPECT_EQ(ReasonOf(answer.status), "SERVER_BUSY");
        }
      }
    });
  }
  while (batches < kThreads) std::this_thread::yield();
  const int median = MedianBatchesBefore(small.get(), batches, 15);
  stop = true;
  for (std::thread& thread : flood) thread.join();
  RecordProperty("median_batches", median);
  EXPECT_LE(median, 5);
}

}  // namespace
}  // namespace tokenusage
