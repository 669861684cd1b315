// SPDX-License-Identifier: Apache-2.0

// Real reporters, killed at random moments, and a service that stops meanwhile.
// In the end, each record for which Report returned OK is stored once; besides
// these, at most one record of each killed process is stored.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/stored_ids.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/testing/in_process_server.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using testing::StoredIds;

constexpr char kProgram[] = "tests/client/reporter_process";

// A run of reporter_process.
class Process {
 public:
  Process(const std::string& server, const std::string& folder,
          const std::string& promise, int first, int count) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const std::string numbers[] = {absl::StrCat(first), absl::StrCat(count)};
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execl(kProgram, kProgram, server.c_str(), folder.c_str(), promise.c_str(),
            numbers[0].c_str(), numbers[1].c_str(),
            static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }

  void Kill() { kill(pid_, SIGKILL); }

  // Waits for the process to end, and returns the numbers that it printed.
  std::set<int> Wait(int* exit_status) {
    std::string text;
    char block[4096];
    ssize_t count = 0;
    while ((count = read(output_, block, sizeof(block))) > 0) {
      text.append(block, static_cast<std::size_t>(count));
    }
    close(output_);
    EXPECT_EQ(waitpid(pid_, exit_status, 0), pid_);
    // A number that was cut off does not count.
    text.resize(text.rfind('\n') + 1);
    std::set<int> numbers;
    for (const absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      int number = 0;
      EXPECT_TRUE(absl::SimpleAtoi(line, &number));
      numbers.insert(number);
    }
    return numbers;
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
};

class ProcessTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(All, ProcessTest,
                         ::testing::Values("process", "disk"));

TEST_P(ProcessTest, LosesNothingWhenItIsKilled) {
  const char* const cycles_text = std::getenv("TOKENUSAGE_KILL_CYCLES");
  const int cycles = cycles_text == nullptr ? 10 : std::atoi(cycles_text);
  constexpr int kCount = 1'000'000;  // more than a cycle has time for
  std::mt19937_64 random(testing::TestSeed());
  const std::string folder =
      absl::StrCat(::testing::TempDir(), "/spool_", GetParam());
  ASSERT_OK_AND_ASSIGN(const auto server, InProcessServer::Start());
  std::set<int> promised;
  int status = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    Process process(server->address(), folder, GetParam(), cycle * kCount,
                    kCount);
    // The service is away in a third of the cycles.
    if (cycle % 3 == 1) server->Stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
    process.Kill();
    promised.merge(process.Wait(&status));
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit status " << status;
    if (cycle % 3 == 1) {
      ASSERT_THAT(server->StartAgain(), IsOk());
    }
  }
  Process last(server->address(), folder, GetParam(), cycles * kCount, 1);
  promised.merge(last.Wait(&status));
  ASSERT_EQ(status, 0);
  ASSERT_FALSE(promised.empty());
  const std::set<std::string> stored = StoredIds(&server->store());
  for (const int number : promised) {
    ASSERT_EQ(stored.count("r" + std::to_string(number)), 1u) << number;
  }
  // Besides, a process may have been killed before it could print a number.
  EXPECT_LE(stored.size(), promised.size() + static_cast<std::size_t>(cycles));
}

}  // namespace
}  // namespace tokenusage
