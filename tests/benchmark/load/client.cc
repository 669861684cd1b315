// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/client_callback.h"

namespace tokenusage::load {
namespace {

constexpr char kMethod[] = "/tokenusage.v1.UsageReportingService/ReportUsage";
constexpr char kStreamMethod[] =
    "/tokenusage.v1.UsageReportingService/StreamUsage";

// Runs the calls of RunCalls.
class Run {
 public:
  Run(int port, const CallPlan& plan, const RequestSource& requests)
      : plan_(plan), requests_(requests), start_(absl::Now()) {
    for (int i = 0; i < plan.connections; ++i) {
      stubs_.push_back(std::make_unique<grpc::GenericStub>(Connect(port)));
    }
  }

  CallCounts Wait() {
    running_ = plan_.callers;
    for (int i = 0; i < plan_.callers; ++i) {
      Next(stubs_[static_cast<std::size_t>(i) % stubs_.size()].get());
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
    counts_.seconds = absl::ToDoubleSeconds(absl::Now() - start_);
    return counts_;
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
  };

  // Starts a caller's next call, or ends the caller.
  void Next(grpc::GenericStub* stub) {
    if (plan_.calls != 0 && started_++ >= plan_.calls) return End();
    const absl::Time at = NextStart();
    if (at >= start_ + plan_.time) return End();
    if (at <= absl::Now()) return Start(stub);
    auto* alarm = new grpc::Alarm;
    alarm->Set(absl::ToChronoTime(at), [this, stub, alarm](bool) {
      Start(stub);
      delete alarm;
    });
  }

  absl::Time NextStart() {
    if (plan_.calls_per_second == 0) return absl::Now();
    const absl::Duration step = absl::Seconds(1) / plan_.calls_per_second;
    const std::lock_guard<std::mutex> lock(mutex_);
    // Late calls are not made up for.
    next_start_ = std::max(next_start_ + step, absl::Now() - step);
    return next_start_;
  }

  void Start(grpc::GenericStub* stub) {
    auto* call = new Call;
    call->request = requests_();
    stub->UnaryCall(&call->context, kMethod, grpc::StubOptions(),
                    &call->request, &call->response,
                    [this, stub, call](const grpc::Status& status) {
                      Count(status);
                      delete call;
                      Next(stub);
                    });
  }

  void Count(const grpc::Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (status.ok()) {
      ++counts_.ok;
    } else if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      ++counts_.busy;
    } else {
      ++counts_.failed;
    }
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--running_ == 0) changed_.notify_all();
  }

  const CallPlan plan_;
  const RequestSource& requests_;
  const absl::Time start_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::atomic<std::int64_t> started_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Time next_start_ = start_;
  int running_ = 0;
  CallCounts counts_;
};

// The call of RunStream.
class Stream
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(int port, int in_flight, std::vector<grpc::ByteBuffer> messages)
      : messages_(std::move(messages)),
        in_flight_(static_cast<std::size_t>(in_flight)),
        stub_(Connect(port)) {
    stub_.PrepareBidiStreamingCall(&context_, kStreamMethod,
                                   grpc::StubOptions(), this);
  }

  CallCounts Wait() {
    const absl::Time start = absl::Now();
    StartRead(&answer_);
    Write();
    StartCall();
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return is_done_; });
    CallCounts counts;
    counts.ok = static_cast<std::int64_t>(answered_);
    counts.failed = static_cast<std::int64_t>(messages_.size() - answered_);
    counts.seconds = absl::ToDoubleSeconds(absl::Now() - start);
    return counts;
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_writing_ = false;
    if (ok) Write();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++answered_;
      Write();
    }
    StartRead(&answer_);
  }

  void OnDone(const grpc::Status&) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_done_ = true;
    changed_.notify_all();
  }

 private:
  // With mutex_ held, or before the call starts.
  void Write() {
    if (is_writing_ || written_ == messages_.size() ||
        written_ - answered_ == in_flight_) {
      return;
    }
    is_writing_ = true;
    grpc::ByteBuffer* const message = &messages_[written_++];
    if (written_ < messages_.size()) {
      StartWrite(message);
    } else {
      StartWriteLast(message, grpc::WriteOptions());
    }
  }

  std::vector<grpc::ByteBuffer> messages_;
  const std::size_t in_flight_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer answer_;
  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::size_t written_ = 0;
  std::size_t answered_ = 0;
  bool is_writing_ = false;
  bool is_done_ = false;
};

}  // namespace

std::shared_ptr<grpc::Channel> Connect(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // its own socket
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

CallCounts RunCalls(int port, const CallPlan& plan,
                    const RequestSource& requests) {
  return Run(port, plan, requests).Wait();
}

CallCounts RunStream(int port, int in_flight,
                     std::vector<grpc::ByteBuffer> messages) {
  return Stream(port, in_flight, std::move(messages)).Wait();
}

}  // namespace tokenusage::load
