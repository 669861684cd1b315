// SPDX-License-Identifier: Apache-2.0

// Random actions on a reporter, whose process, machine, disk and service fail
// at random. In the end, each record for which Report returned OK is stored
// once, as it was reported, or is in the file of refused records. Nothing that
// was not reported is stored.

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/support/memory_file_system.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {
namespace {

using testing::Failure;
using testing::FakeClock;
using testing::FakeService;
using testing::IsOk;
using testing::MemoryFileSystem;
using testing::NewTransport;
using testing::NumberedRecord;

constexpr absl::Duration kLong = absl::Hours(100'000);

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : random_(seed),
        files_(seed),
        durability_(random_() % 2 == 0 ? Durability::kProcess
                                       : Durability::kDisk) {
    Restart();
  }

  void RunActions(int count) {
    for (int i = 0; i < count && !::testing::Test::HasFatalFailure(); ++i) {
      RunAction();
    }
  }

  // Ends all faults, delivers the remaining records, and compares.
  void Check() {
    files_.SetFailures(0);
    files_.SetCapacity(1 << 30);
    SetFaults(0);
    Restart();
    ASSERT_THAT(reporter_->Stop(kLong), IsOk());
    const auto stored = service_.records();
    const std::string refused = files_.Content("spool/refused.jsonl");
    // A record whose Report failed may be in the spool, and be damaged there.
    int unpromised = 0;
    for (const auto& [id, record] : reported_) {
      if (promised_.count(id) == 0 && stored.count(id) == 0) ++unpromised;
    }
    EXPECT_LE(reporter_->counters().lost_records, unpromised);
    for (const auto& [id, record] : promised_) {
      if (refused_ids_.count(id) > 0) {
        EXPECT_NE(refused.find("\"" + id + "\""), std::string::npos) << id;
      } else {
        EXPECT_EQ(stored.count(id), 1u) << id;
      }
    }
    for (const auto& [id, record] : stored) {
      const auto found = reported_.find(id);
      ASSERT_NE(found, reported_.end()) << id;
      EXPECT_EQ(record.SerializeAsString(), found->second.SerializeAsString());
      EXPECT_EQ(refused_ids_.count(id), 0u) << id;
    }
  }

 private:
  void RunAction() {
    switch (random_() % 40) {
      case 0:
        files_.KillProcess();
        return Restart();
      case 1:
        if (durability_ == Durability::kDisk) files_.LosePower();
        return Restart();
      case 2:
        return static_cast<void>(reporter_->Flush(absl::Seconds(1)));
      case 3:
        reporter_->Stop(absl::Seconds(1)).IgnoreError();
        return Restart();
      case 4:
        return files_.SetCapacity(random_() % 2 == 0 ? 20'000 : 1 << 30);
      case 5:
        return files_.SetFailures(random_() % 2 == 0 ? 0.2 : 0);
      case 6:
        return SetFaults(static_cast<int>(random_() % 100));
      default:
        return Report();
    }
  }

  void Report() {
    v1::UsageRecord record = NumberedRecord(next_++);
    record.set_usage_json(std::string(random_() % 500, 'j'));
    const std::string id = record.record_id();
    if (random_() % 20 == 0) {
      service_.RefuseRecord(id);
      refused_ids_.insert(id);
    }
    reported_[id] = record;
    if (reporter_->Report(record).ok()) promised_[id] = record;
  }

  void Restart() {
    reporter_.reset();
    files_.KillProcess();
    UsageReporterOptions options;
    options.project = "demo";
    options.durability = durability_;
    options.spool_folder = "spool";
    options.max_spool_bytes = 4 << 20;
    options.max_batch_records = 1 + static_cast<int>(random_() % 20);
    options.max_retry_delay = absl::Seconds(1);
    options.max_calls = 1 + static_cast<int>(random_() % 3);
    options.files = &files_;
    options.clock = &clock_;
    auto reporter =
        UsageReporter::Start(std::move(options), NewTransport(&service_));
    if (!reporter.ok()) {
      // The folder cannot be written now.
      files_.SetFailures(0);
      files_.SetCapacity(1 << 30);
      return Restart();
    }
    reporter_ = *std::move(reporter);
  }

  // Makes each call fail with this probability, in percent. Half of the
  // failures come after the records were stored.
  void SetFaults(int percent) {
    const auto random = std::make_shared<std::mt19937_64>(random_());
    const auto mutex = std::make_shared<std::mutex>();
    service_.SetFault(
        [this, percent, random, mutex](const v1::ReportUsageRequest& request)
            -> std::optional<ReportResult> {
          std::uint64_t kind = 0;
          {
            const std::lock_guard lock(*mutex);
            if (static_cast<int>((*random)() % 100) >= percent)
              return std::nullopt;
            kind = (*random)() % 6;
          }
          switch (kind) {
            case 0:
              return Failure(absl::StatusCode::kUnavailable, "SERVER_DRAINING");
            case 1:
              return Failure(absl::StatusCode::kResourceExhausted,
                             "SERVER_BUSY", absl::Milliseconds(50));
            case 2: {
              ReportResult result;
              result.response.set_stored_count(request.records_size() + 1);
              return result;
            }
            default:  // the answer is lost
              service_.Store(request);
              return Failure(absl::StatusCode::kDeadlineExceeded);
          }
        });
  }

  std::mt19937_64 random_;
  MemoryFileSystem files_;
  FakeClock clock_{/*advances_itself=*/true};
  FakeService service_;
  const Durability durability_;
  std::unique_ptr<UsageReporter> reporter_;
  int next_ = 0;
  std::map<std::string, v1::UsageRecord> reported_, promised_;
  std::set<std::string> refused_ids_;
};

TEST(ModelTest, DeliversWhatWasPromisedOnceAndNothingElse) {
  const char* const rounds_text = std::getenv("TOKENUSAGE_CLIENT_ROUNDS");
  const int rounds = rounds_text == nullptr ? 40 : std::atoi(rounds_text);
  std::mt19937_64 seeds(testing::TestSeed());
  for (int round = 0; round < rounds && !::testing::Test::HasFailure();
       ++round) {
    const std::uint64_t seed = seeds();
    SCOPED_TRACE(absl::StrCat("round ", round));
    Model model(seed);
    model.RunActions(400);
    model.Check();
  }
}

}  // namespace
}  // namespace tokenusage
