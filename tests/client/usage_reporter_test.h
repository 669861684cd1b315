// SPDX-License-Identifier: Apache-2.0

// A reporter with a fake service, clock and file system.

#ifndef TOKENUSAGE_TESTS_CLIENT_USAGE_REPORTER_TEST_H_
#define TOKENUSAGE_TESTS_CLIENT_USAGE_REPORTER_TEST_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/support/memory_file_system.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {

inline constexpr absl::Duration kLong = absl::Hours(1000);

class UsageReporterTest : public ::testing::Test {
 protected:
  // Returns options with this durability and a clock that advances itself.
  UsageReporterOptions Options(Durability durability) {
    UsageReporterOptions options;
    options.project = "demo";
    options.durability = durability;
    if (durability != Durability::kMemory) options.spool_folder = "spool";
    options.files = &files_;
    options.clock = &clock_;
    options.log = [this](std::string_view message) {
      const std::lock_guard lock(mutex_);
      messages_.emplace_back(message);
    };
    return options;
  }

  absl::StatusOr<std::unique_ptr<UsageReporter>> Start(
      UsageReporterOptions options) {
    return UsageReporter::Start(std::move(options),
                                testing::NewTransport(&service_));
  }

  std::vector<std::string> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

  testing::FakeClock clock_{/*advances_itself=*/true};
  testing::MemoryFileSystem files_;
  testing::FakeService service_;
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_CLIENT_USAGE_REPORTER_TEST_H_
