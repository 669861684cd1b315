// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "absl/time/clock.h"

namespace tokenusage::load {
namespace {

int Open(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
      0) {
    std::abort();
  }
  return fd;
}

// Returns the status of the response, once its header and body have arrived.
int Receive(int fd) {
  constexpr char kLength[] = "Content-Length: ";
  std::string text;
  std::array<char, 16384> part;
  for (;;) {
    const ssize_t size = recv(fd, part.data(), part.size(), 0);
    if (size <= 0) std::abort();
    text.append(part.data(), static_cast<std::size_t>(size));
    const std::size_t end = text.find("\r\n\r\n");
    const std::size_t length = text.find(kLength);
    if (end == text.npos || length == text.npos) continue;
    const std::size_t body =
        std::strtoul(text.c_str() + length + sizeof(kLength) - 1, nullptr, 10);
    if (text.size() == end + 4 + body) {
      return std::atoi(text.c_str() + sizeof("HTTP/1.1"));
    }
  }
}

}  // namespace

CallCounts RunHttpCalls(int port, int callers, const std::string& content_type,
                        const std::vector<std::string>& bodies) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> ok{0};
  std::atomic<std::int64_t> failed{0};
  const absl::Time start = absl::Now();
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    threads.emplace_back([&] {
      const int fd = Open(port);
      for (std::size_t n = next++; n < bodies.size(); n = next++) {
        const std::string request =
            "POST /tokenusage.v1.UsageReportingService/ReportUsage HTTP/1.1\r\n"
            "Host: localhost\r\nContent-Type: " +
            content_type +
            "\r\nContent-Length: " + std::to_string(bodies[n].size()) +
            "\r\n\r\n" + bodies[n];
        for (std::size_t sent = 0; sent < request.size();) {
          const ssize_t size =
              send(fd, request.data() + sent, request.size() - sent, 0);
          if (size <= 0) std::abort();
          sent += static_cast<std::size_t>(size);
        }
        ++(Receive(fd) == 200 ? ok : failed);
      }
      close(fd);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CallCounts counts;
  counts.ok = ok;
  counts.failed = failed;
  counts.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  return counts;
}

}  // namespace tokenusage::load
