// SPDX-License-Identifier: Apache-2.0

// Calls ReportUsage over HTTP.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_HTTP_CLIENT_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_HTTP_CLIENT_H_

#include <string>
#include <vector>

#include "tests/benchmark/load/client.h"

namespace tokenusage::load {

// Sends each body once, from `callers` threads with a connection each, and
// waits for the last answer.
CallCounts RunHttpCalls(int port, int callers, const std::string& content_type,
                        const std::vector<std::string>& bodies);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_HTTP_CLIENT_H_
