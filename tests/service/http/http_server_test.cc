// SPDX-License-Identifier: Apache-2.0

// Tests the limits, the page and the shutdown of the HTTP server.
// tests/e2e/http_test.py has the rest.

#include "tokenusage/service/http/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/service/gate_store.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/service/usage_reporting_service.h"

namespace tokenusage {
namespace {

using testing::GateStore;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;

constexpr char kService[] = "/tokenusage.v1.UsageReportingService/";

// A connection of a caller.
class Peer {
 public:
  explicit Peer(int port)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(
        connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
  }
  ~Peer() { close(fd_); }

  void Send(const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t size =
          send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return;
      sent += static_cast<std::size_t>(size);
    }
  }

  // Returns the text that arrives until it ends with `end`, or until the server
  // closes the connection.
  std::string Receive(const std::string& end = "\n\n\n") {
    std::string text;
    std::array<char, 4096> part;
    for (;;) {
      const ssize_t size = recv(fd_, part.data(), part.size(), 0);
      if (size <= 0) return text;
      text.append(part.data(), static_cast<std::size_t>(size));
      if (text.size() >= end.size() &&
          text.compare(text.size() - end.size(), end.size(), end) == 0) {
        return text;
      }
    }
  }

 private:
  const int fd_;
};

std::string Post(const std::string& method, const std::string& body,
                 std::size_t length) {
  return std::string("POST ") + kService + method +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(length) + "\r\n\r\n" + body;
}

std::string Report(const std::string& id) {
  const std::string body =
      R"({"project":"demo","records":[{"record_id":")" + id +
      R"(","event_time":"2026-08-01T12:00:00Z","operation":"chat",)"
      R"("token_usage":{"input_tokens":1}}]})";
  return Post("ReportUsage", body, body.size());
}

constexpr char kHealth[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HttpServerTest : public ::testing::Test {
 protected:
  void TearDown() override {
    store_.Open();
    server_.reset();
  }

  void Start(HttpServerOptions options = {}) {
    options.address = "127.0.0.1:0";
    auto server = HttpServer::Start(&service_, std::move(options));
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  std::string Ask(const std::string& request) {
    Peer peer(server_->port());
    peer.Send(request);
    return peer.Receive("\r\n\r\nserving\n");
  }

  GateStore store_;
  UsageReportingServiceImpl service_{&store_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ClosesConnectionsWhoseRequestDoesNotArriveInTime) {
  HttpServerOptions options;
  options.limits.max_request_time = absl::Milliseconds(200);
  Start(options);
  const absl::Time start = absl::Now();
  for (const std::string& part :
       {std::string(), std::string("GET / HT"), Post("QueryUsage", "{", 9)}) {
    Peer peer(server_->port());
    peer.Send(part);
    EXPECT_EQ(peer.Receive(), "");
  }
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(550));
}

TEST_F(HttpServerTest, ClosesTheConnectionThatHoldsMost) {
  HttpServerOptions options;
  options.limits.max_pending_bytes = 300'000;
  Start(options);
  Peer small(server_->port());
  small.Send(Post("QueryUsage", std::string(1000, ' '), 1002));
  Peer first(server_->port());
  first.Send(Post("QueryUsage", std::string(200'000, ' '), 1'000'000));
  Peer second(server_->port());
  second.Send(Post("QueryUsage", std::string(900'000, ' '), 1'000'000));
  EXPECT_EQ(second.Receive(), "");
  small.Send("{}");
  EXPECT_THAT(small.Receive("}"), HasSubstr("PROJECT_INVALID"));
}

TEST_F(HttpServerTest, ClosesTheConnectionThatIsIdleForLongest) {
  HttpServerOptions options;
  options.limits.max_connections = 3;
  Start(options);
  Peer oldest(server_->port());
  oldest.Send(kHealth);
  oldest.Receive("\r\n\r\nserving\n");
  Peer busy(server_->port());
  busy.Send(Report("a"));
  store_.Await(1);
  Peer newest(server_->port());
  newest.Send(kHealth);
  newest.Receive("\r\n\r\nserving\n");
  EXPECT_THAT(Ask(kHealth), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(oldest.Receive(), "");
  store_.Open();
  EXPECT_THAT(busy.Receive("}"), HasSubstr("\"stored_count\":1"));
}

TEST_F(HttpServerTest, ServesThePageUnderItsPolicy) {
  const std::string request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  Start();
  EXPECT_THAT(Ask(request), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  HttpServerOptions options;
  options.page = "<!doctype html>";
  options.page_policy = "default-src 'none'";
  Start(options);
  const std::string answer = Ask(request);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer,
              HasSubstr("Content-Security-Policy: default-src 'none'\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n<!doctype html>"));
}

TEST_F(HttpServerTest, SaysThatItDoesNotServe) {
  HttpServerOptions options;
  options.is_serving = [] { return false; };
  Start(options);
  EXPECT_THAT(Ask("GET /healthz HTTP/1.0\r\n\r\n"),
              StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, WaitsForCallsAtTheEnd) {
  Start();
  Peer idle(server_->port());
  idle.Send(kHealth);
  idle.Receive("\r\n\r\nserving\n");
  Peer busy(server_->port());
  busy.Send(Report("a") + Report("b"));
  store_.Await(1);
  auto end = std::async(std::launch::async, [this] {
    server_->Shutdown(absl::Now() + absl::Minutes(10));
  });
  EXPECT_EQ(idle.Receive(), "");
  EXPECT_EQ(end.wait_for(std::chrono::milliseconds(100)),
            std::future_status::timeout);
  store_.Open();
  const std::string answer = busy.Receive();
  EXPECT_THAT(answer, HasSubstr("\"stored_count\":1"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  end.get();
  EXPECT_EQ(store_.seen(), 1u);
}

TEST_F(HttpServerTest, CancelsCallsOfPeersThatDisconnect) {
  Start();
  std::size_t calls = 0;
  // The second one leaves a request that nobody has read.
  for (const std::string& request : {Report("a"), Report("b") + Report("c")}) {
    {
      Peer peer(server_->port());
      peer.Send(request);
      store_.Await(++calls);
    }
    store_.AwaitLimits();
    store_.LetThrough();
  }
}

TEST_F(HttpServerTest, CancelsCallsAtTheDeadline) {
  Start();
  Peer busy(server_->port());
  busy.Send(Report("a"));
  store_.Await(1);
  auto end = std::async(std::launch::async,
                        [this] { server_->Shutdown(absl::Now()); });
  store_.AwaitLimits();
  EXPECT_EQ(busy.Receive(), "");
  store_.LetThrough();
  end.get();
}

}  // namespace
}  // namespace tokenusage
