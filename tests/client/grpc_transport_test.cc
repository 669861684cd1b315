// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/grpc_transport.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/support/grpc_service.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {
namespace {

using testing::Eventually;
using testing::Failure;
using testing::FakeService;
using testing::GrpcService;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::NumberedRecord;
using ::testing::SizeIs;
using testing::StatusIs;

constexpr absl::Duration kTimeout = absl::Seconds(20);

std::string RequestOf(int number) {
  v1::ReportUsageRequest request;
  request.set_project("demo");
  *request.add_records() = NumberedRecord(number);
  return request.SerializeAsString();
}

std::unique_ptr<ReportTransport> TransportTo(std::vector<std::string> servers) {
  GrpcTransportOptions options;
  options.servers = std::move(servers);
  auto transport = NewGrpcTransport(options);
  EXPECT_THAT(transport, IsOk());
  return *std::move(transport);
}

// A server that passes each connection to `serve`, one after another.
class RawServer {
 public:
  explicit RawServer(std::function<void(int connection)> serve)
      : serve_(std::move(serve)) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 16), 0);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~RawServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Run() {
    while (true) {
      const int connection = accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      serve_(connection);
    }
  }

  const std::function<void(int connection)> serve_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
};

void DoNotAnswer(int) {}

void Send(int connection, std::string_view bytes) {
  send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// Resets the first call of a connection as gRPC does if its memory is
// exhausted: by a frame without a status.
void ResetTheCall(int connection) {
  using namespace std::string_view_literals;
  constexpr std::string_view kSettings = "\0\0\0\x4\0\0\0\0\0"sv;
  constexpr std::string_view kResetOfStream1 =
      "\0\0\x4\x3\0\0\0\0\x1\0\0\0\xb"sv;  // ENHANCE_YOUR_CALM
  constexpr char kHeaders = 1;
  Send(connection, kSettings);
  char bytes[256];
  recv(connection, bytes, 24, MSG_WAITALL);  // the preface
  unsigned char frame[9] = {};               // length, type, flags, stream
  while (recv(connection, frame, sizeof(frame), MSG_WAITALL) > 0 &&
         frame[3] != kHeaders) {
    recv(connection, bytes, frame[2], MSG_WAITALL);
  }
  Send(connection, kResetOfStream1);
  while (recv(connection, bytes, sizeof(bytes), 0) > 0) {
  }
  close(connection);
}

TEST(GrpcTransportTest, ReturnsTheAnswer) {
  FakeService service;
  GrpcService server(&service);
  service.RefuseRecord("r2");
  const auto transport = TransportTo({server.address()});
  ReportResult result = transport->Report(RequestOf(1), kTimeout);
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.response.stored_count(), 1);
  result = transport->Report(RequestOf(2), kTimeout);
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.response.errors(0).reason(),
            v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT);
}

TEST(GrpcTransportTest, ReturnsReasonAndPushback) {
  FakeService service;
  service.SetFault([](const auto&) {
    return Failure(absl::StatusCode::kResourceExhausted, "SERVER_BUSY",
                   absl::Milliseconds(1234));
  });
  GrpcService server(&service);
  const ReportResult result =
      TransportTo({server.address()})->Report(RequestOf(1), kTimeout);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(result.reason, "SERVER_BUSY");
  EXPECT_EQ(result.pushback, absl::Milliseconds(1234));
}

TEST(GrpcTransportTest, TakesTheNextServerAndStaysWithIt) {
  FakeService service, draining_service;
  std::atomic<int> draining_calls{0};
  draining_service.SetFault([&](const auto&) {
    ++draining_calls;
    return Failure(absl::StatusCode::kUnavailable, "SERVER_DRAINING");
  });
  GrpcService draining(&draining_service), server(&service);
  const auto transport =
      TransportTo({"127.0.0.1:1", draining.address(), server.address()});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(transport->Report(RequestOf(i), kTimeout).status, IsOk());
  }
  EXPECT_EQ(draining_calls, 1);
  EXPECT_THAT(service.records(), SizeIs(3));
}

TEST(GrpcTransportTest, GivesUpASlowServer) {
  RawServer silent(DoNotAnswer);
  const ReportResult result =
      TransportTo({silent.address()})
          ->Report(RequestOf(1), absl::Milliseconds(200));
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(GrpcTransportTest, TakesAnAnswerThatIsNoneForAFailure) {
  RawServer garbage([](int connection) {
    Send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    close(connection);
  });
  const ReportResult result =
      TransportTo({garbage.address()})->Report(RequestOf(1), kTimeout);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kUnavailable));
}

// gRPC gives a reset by a busy server the code of a message that is too long.
// Taken for that, the batch would be split, and its records refused.
TEST(GrpcTransportTest, ARequestThatIsResetIsSentAgain) {
  RawServer exhausted(ResetTheCall);
  const ReportResult result =
      TransportTo({exhausted.address()})->Report(RequestOf(1), kTimeout);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kUnavailable,
                                      HasSubstr("RST_STREAM")));

  FakeService service;
  GrpcService server(&service);
  EXPECT_THAT(TransportTo({exhausted.address(), server.address()})
                  ->Report(RequestOf(1), kTimeout)
                  .status,
              IsOk());
  EXPECT_THAT(service.records(), SizeIs(1));
}

TEST(GrpcTransportTest, AMessageThatIsTooLongIsNotSentAgain) {
  FakeService service;
  GrpcService server(&service);
  const ReportResult result =
      TransportTo({server.address()})
          ->Report(std::string(5 << 20, '\0'), kTimeout);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kResourceExhausted,
                                      HasSubstr("larger than max")));
  EXPECT_EQ(result.reason, "");
}

TEST(GrpcTransportTest, CancelsCalls) {
  RawServer silent(DoNotAnswer);
  const auto transport = TransportTo({silent.address()});
  std::thread call([&transport] {
    EXPECT_THAT(transport->Report(RequestOf(1), absl::Hours(1)).status,
                StatusIs(absl::StatusCode::kCancelled));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  transport->Cancel();
  call.join();
  EXPECT_THAT(transport->Report(RequestOf(1), absl::Hours(1)).status,
              StatusIs(absl::StatusCode::kCancelled));
}

TEST(GrpcTransportTest, ReadsTheTokenAgainWhenItHasChanged) {
  FakeService service;
  GrpcService server(&service);
  GrpcTransportOptions options;
  options.servers = {server.address()};
  options.token_file = ::testing::TempDir() + "/token";
  std::ofstream(options.token_file) << "first\n";
  ASSERT_OK_AND_ASSIGN(const auto transport, NewGrpcTransport(options));
  ASSERT_THAT(transport->Report(RequestOf(1), kTimeout).status, IsOk());
  EXPECT_EQ(server.authorization(), "Bearer first");
  std::ofstream(options.token_file) << "the second\n";  // not a token
  ASSERT_THAT(transport->Report(RequestOf(2), kTimeout).status, IsOk());
  EXPECT_EQ(server.authorization(), "Bearer first");
  std::ofstream(options.token_file) << "second\n";
  ASSERT_THAT(transport->Report(RequestOf(3), kTimeout).status, IsOk());
  EXPECT_EQ(server.authorization(), "Bearer second");
  unlink(options.token_file.c_str());
  ASSERT_THAT(transport->Report(RequestOf(4), kTimeout).status, IsOk());
  EXPECT_EQ(server.authorization(), "Bearer second");
}

TEST(GrpcTransportTest, RefusesWrongOptions) {
  const auto invalid = [](const char* what) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
  };
  GrpcTransportOptions options;
  EXPECT_THAT(NewGrpcTransport(options), invalid("servers"));
  options.servers = {"https://usage.example.com"};
  EXPECT_THAT(NewGrpcTransport(options), invalid("host:port"));
  options.servers = {"usage.example.com:8105"};
  options.token_file = ::testing::TempDir() + "/secret";
  EXPECT_THAT(NewGrpcTransport(options), invalid("in plain text"));
  options.tls = true;
  EXPECT_THAT(NewGrpcTransport(options), StatusIs(absl::StatusCode::kNotFound));
  options.token_file = "";
  options.tls_key = "key";
  EXPECT_THAT(NewGrpcTransport(options), invalid("tls_certificate"));
}

TEST(GrpcTransportTest, AReporterOutlivesAServerThatIsStopped) {
  FakeService service;
  GrpcService server(&service);
  UsageReporterOptions options;
  options.project = "demo";
  options.max_batch_age = absl::Milliseconds(5);
  options.max_retry_delay = absl::Milliseconds(200);
  ASSERT_OK_AND_ASSIGN(
      const auto reporter,
      UsageReporter::Start(options, TransportTo({server.address()})));
  int next = 0;
  for (int stop = 0; stop < 3; ++stop) {
    for (int i = 0; i < 200; ++i) {
      ASSERT_THAT(reporter->Report(NumberedRecord(next++)), IsOk());
      if (i == 50) server.Stop();
      if (i == 150) server.Start();
    }
  }
  ASSERT_THAT(reporter->Stop(kTimeout), IsOk());
  EXPECT_THAT(service.records(), SizeIs(600));
}

TEST(GrpcTransportTest, TheDestructorDoesNotWaitForAServer) {
  RawServer silent(DoNotAnswer);
  UsageReporterOptions options;
  options.project = "demo";
  options.max_batch_age = absl::ZeroDuration();
  options.call_timeout = absl::Hours(1);
  ASSERT_OK_AND_ASSIGN(
      auto reporter,
      UsageReporter::Start(options, TransportTo({silent.address()})));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const absl::Duration start = Clock::Real()->Uptime();
  reporter.reset();
  EXPECT_LT(Clock::Real()->Uptime() - start, absl::Seconds(10));
}

}  // namespace
}  // namespace tokenusage
