// SPDX-License-Identifier: Apache-2.0

// Calls ReportUsage and counts the answers.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_CLIENT_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/byte_buffer.h"

namespace tokenusage::load {

// Opens a new connection to the port.
std::shared_ptr<grpc::Channel> Connect(int port);

struct CallCounts {
  std::int64_t ok = 0;
  std::int64_t busy = 0;    // RESOURCE_EXHAUSTED
  std::int64_t failed = 0;  // any other error
  double seconds = 0;
};

struct CallPlan {
  int callers = 1;      // each has one call in flight
  int connections = 4;  // shared by the callers
  absl::Duration time = absl::Seconds(1);
  // The total rate, or 0 if each caller starts a call as soon as its last one
  // has ended. Calls for which no caller is free are left out.
  double calls_per_second = 0;
  std::int64_t calls = 0;  // if not 0, stops after this many calls
};

// Returns the next request. Called by many threads.
using RequestSource = std::function<grpc::ByteBuffer()>;

// Calls ReportUsage on the port and waits for the last answer.
CallCounts RunCalls(int port, const CallPlan& plan,
                    const RequestSource& requests);

// Sends the messages over one call of StreamUsage, while at most `in_flight` of
// them have no answer, and waits for the last answer.
CallCounts RunStream(int port, int in_flight,
                     std::vector<grpc::ByteBuffer> messages);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_CLIENT_H_
