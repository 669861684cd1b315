// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/record_id.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

using ::testing::MatchesRegex;

TEST(RecordIdTest, IsTheUuidOfTheTime) {
  // The example of RFC 9562, appendix A.6.
  const std::string id =
      NewRecordId(absl::FromUnixMillis(std::int64_t{0x017F22E279B0}));
  EXPECT_THAT(id, MatchesRegex("017f22e2-79b0-7000-[89ab][0-9a-f]{3}-"
                               "[0-9a-f]{12}"));
}

TEST(RecordIdTest, RisesWithTime) {
  absl::Time time = absl::FromUnixMillis(1'790'000'000'000);
  std::string last = NewRecordId(time);
  for (int i = 0; i < 10'000; ++i) {
    time += absl::Microseconds(1);
    const std::string id = NewRecordId(time);
    ASSERT_LT(last, id);
    last = id;
  }
}

TEST(RecordIdTest, DiffersInEachThreadAtOneTime) {
  const absl::Time time = absl::FromUnixSeconds(1'790'000'000);
  std::vector<std::vector<std::string>> ids(4);
  std::vector<std::thread> threads;
  for (auto& own : ids) {
    threads.emplace_back([&own, time] {
      for (int i = 0; i < 10'000; ++i) own.push_back(NewRecordId(time));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& own : ids) all.insert(own.begin(), own.end());
  EXPECT_EQ(all.size(), 40'000u);
}

TEST(RecordIdTest, DiffersInAForkedChild) {
  const absl::Time time = absl::FromUnixSeconds(1'790'000'000);
  NewRecordId(time);  // the parent's random numbers have begun
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::string id = NewRecordId(time);
    _exit(write(ends[1], id.data(), id.size()) == 36 ? 0 : 1);
  }
  const std::string id = NewRecordId(time);
  char child_id[36];
  ASSERT_EQ(read(ends[0], child_id, sizeof(child_id)), 36);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(id, std::string(child_id, sizeof(child_id)));
}

}  // namespace
}  // namespace tokenusage
