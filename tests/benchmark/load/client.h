// SPDX-License-Identifier: Apache-2.0

// Callers of ReportUsage that count what comes back.

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

// A new connection to the port.
std::shared_ptr<grpc::Channel> Connect(int port);

struct CallCounts {
  std::int64_t ok = 0;
  std::int64_t busy = 0;    // RESOURCE_EXHAUSTED
  std::int64_t failed = 0;  // any other error
  double seconds = 0;
};

struct CallPlan {
  int callers = 1;      // each has one call under way
  int connections = 4;  // shared by the callers
  absl::Duration time = absl::Seconds(1);
  // Calls begin at this rate in all, or each when the last one has ended where
  // it is 0. What the callers are too few for is left out.
  double calls_per_second = 0;
  std::int64_t calls = 0;  // ends with the last of so many, where it is not 0
};

// The next request. Called by many threads.
using RequestSource = std::function<grpc::ByteBuffer()>;

// Calls ReportUsage on the port, and waits for the last answer.
CallCounts RunCalls(int port, const CallPlan& plan,
                    const RequestSource& requests);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_CLIENT_H_
