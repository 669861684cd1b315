// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/usage_reporter.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/usage_reporter_test.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/spool/checked_text.h"

namespace tokenusage {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Eventually;
using testing::Failure;
using testing::FakeClock;
using testing::FakeService;
using ::testing::Ge;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Le;
using testing::NewTransport;
using testing::NumberedRecord;
using ::testing::SizeIs;
using testing::StatusIs;

class UsageReporterPromiseTest
    : public UsageReporterTest,
      public ::testing::WithParamInterface<Durability> {};

INSTANTIATE_TEST_SUITE_P(All, UsageReporterPromiseTest,
                         ::testing::Values(Durability::kMemory,
                                           Durability::kProcess,
                                           Durability::kDisk));

TEST_P(UsageReporterPromiseTest, DeliversEachRecordOnce) {
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(GetParam())));
  for (int i = 0; i < 500; ++i) {
    ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(500));
  const UsageReporterCounters counters = reporter->counters();
  EXPECT_EQ(counters.accepted, 500);
  EXPECT_EQ(counters.stored, 500);
  EXPECT_EQ(counters.duplicates, 0);
  EXPECT_EQ(counters.pending_records, 0);
}

TEST_P(UsageReporterPromiseTest, SurvivesThreadsAndFailedCalls) {
  std::atomic<int> calls{0};
  service_.SetFault([&](const v1::ReportUsageRequest& request)
                        -> std::optional<ReportResult> {
    switch (++calls % 4) {
      case 0:
        return Failure(absl::StatusCode::kUnavailable);
      case 1:  // the answer is lost
        service_.Store(request);
        return Failure(absl::StatusCode::kDeadlineExceeded);
      default:
        return std::nullopt;
    }
  });
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(GetParam())));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&reporter, thread] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_THAT(reporter->Report(NumberedRecord(100 * thread + i)), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(400));
}

TEST_P(UsageReporterPromiseTest, StopRefusesLaterRecords) {
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(GetParam())));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(reporter->Report(NumberedRecord(2)),
              StatusIs(absl::StatusCode::kCancelled));
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(1));
}

// Under ThreadSanitizer, this fails if two methods race.
TEST_P(UsageReporterPromiseTest, AllMethodsMayRunAtOnce) {
  UsageReporterOptions options = Options(GetParam());
  service_.RefuseRecord("r7");
  std::atomic<int> refused{0};
  options.on_refused = [&](const auto&, const auto&) { ++refused; };
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(std::move(options)));
  std::atomic<int> taken{0}, promised{0}, broken{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      absl::Status status;
      for (int i = thread; status.ok(); i += 3) {
        status = reporter->Report(NumberedRecord(i), [&](const auto& result) {
          ++(result.ok() ? promised : broken);
        });
        if (status.ok()) ++taken;
        if (i % 100 == 0) reporter->Flush(absl::Seconds(1)).IgnoreError();
        EXPECT_GE(reporter->counters().accepted, 0);
      }
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
    });
  }
  EXPECT_TRUE(Eventually([&] { return refused > 0 && promised > 500; }));
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { EXPECT_THAT(reporter->Stop(kLong), IsOk()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(promised, taken);
  EXPECT_EQ(refused, 1);
  EXPECT_THAT(service_.records(), SizeIs(promised - refused));
}

TEST_P(UsageReporterPromiseTest, CallsBackOnceThePromiseHolds) {
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(GetParam())));
  std::promise<absl::Status> done;
  ASSERT_THAT(reporter->Report(NumberedRecord(1),
                               [&done](const absl::Status& status) {
                                 done.set_value(status);
                               }),
              IsOk());
  EXPECT_THAT(done.get_future().get(), IsOk());
}

TEST_F(UsageReporterTest, FillsIdAndTimeBeforeTheFirstWrite) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  const absl::Time before = clock_.Now();
  {
    ASSERT_OK_AND_ASSIGN(const auto reporter,
                         Start(Options(Durability::kProcess)));
    v1::UsageRecord record = NumberedRecord(1);
    record.clear_record_id();
    record.clear_event_time();
    ASSERT_THAT(reporter->Report(record), IsOk());
    ASSERT_THAT(reporter->Report(record), IsOk());
  }
  clock_.Advance(absl::Hours(24));
  service_.SetFault(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  const auto records = service_.records();
  ASSERT_THAT(records, SizeIs(2));
  for (const auto& [id, record] : records) {
    EXPECT_EQ(id.size(), 36u);
    EXPECT_GE(record.event_time().seconds(), absl::ToUnixSeconds(before));
    EXPECT_LT(record.event_time().seconds(),
              absl::ToUnixSeconds(before + absl::Hours(23)));
  }
}

TEST_F(UsageReporterTest, RefusesAnInvalidRecord) {
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kMemory)));
  v1::UsageRecord record = NumberedRecord(1);
  record.clear_operation();
  EXPECT_THAT(
      reporter->Report(record),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("operation")));
  EXPECT_EQ(reporter->counters().invalid, 1);
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(0));
}

TEST_F(UsageReporterTest, RefusesARecordThatIsTooLong) {
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kMemory)));
  // No field is that long, but one of a newer schema may be.
  const auto record_of = [](std::size_t bytes) {
    constexpr std::size_t kTagAndSize = 6;
    v1::UsageRecord record = NumberedRecord(1);
    const std::string text(bytes - record.ByteSizeLong() - kTagAndSize, 'x');
    record.GetReflection()->MutableUnknownFields(&record)->AddLengthDelimited(
        5000, text);
    EXPECT_EQ(record.ByteSizeLong(), bytes);
    return record;
  };
  ASSERT_THAT(reporter->Report(record_of(1'000'000)), IsOk());
  EXPECT_THAT(reporter->Report(record_of(1'000'001)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at most 1000000 bytes, found 1000001")));
  EXPECT_EQ(reporter->counters().invalid, 1);
}

TEST_F(UsageReporterTest, BatchesByCountAndBytes) {
  FakeClock still;
  UsageReporterOptions options = Options(Durability::kMemory);
  options.clock = &still;
  options.max_batch_records = 10;
  ASSERT_OK_AND_ASSIGN(const auto by_count, Start(options));
  for (int i = 0; i < 25; ++i) {
    ASSERT_THAT(by_count->Report(NumberedRecord(i)), IsOk());
  }
  // Full batches do not wait for time to pass; the rest does.
  ASSERT_TRUE(Eventually([&] { return service_.records().size() == 20; }));
  still.Advance(absl::Seconds(1));
  ASSERT_TRUE(Eventually([&] { return service_.records().size() == 25; }));
  EXPECT_THAT(service_.batch_sizes(), Each(Le(10)));

  options.max_batch_records = 1000;
  options.max_batch_bytes = 1000;
  ASSERT_OK_AND_ASSIGN(const auto by_bytes, Start(options));
  const int bytes = static_cast<int>(NumberedRecord(100).ByteSizeLong());
  for (int i = 100; i < 200; ++i) {
    ASSERT_THAT(by_bytes->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_TRUE(Eventually([&] { return service_.records().size() > 110; }));
  EXPECT_THAT(service_.batch_sizes(), Each(Le(std::max(10, 1000 / bytes))));
}

TEST_P(UsageReporterPromiseTest, RefusesRecordsWhenFull) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  UsageReporterOptions options = Options(GetParam());
  options.max_memory_bytes = 2 << 20;
  options.max_spool_bytes = 4 << 20;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  v1::UsageRecord record = NumberedRecord(0);
  record.set_usage_json(std::string(8000, ' '));
  absl::Status status;
  int accepted = 0;
  for (; accepted < 1000; ++accepted) {
    record.set_record_id("r" + std::to_string(accepted));
    status = reporter->Report(record);
    if (!status.ok()) break;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(reporter->counters().full, 1);
  EXPECT_LE(reporter->counters().pending_bytes, 4 << 20);
  service_.SetFault(nullptr);
  ASSERT_TRUE(Eventually([&] { return reporter->Report(record).ok(); }));
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(accepted + 1));
}

TEST_F(UsageReporterTest, WaitsForRoomIfToldTo) {
  std::atomic<bool> is_down{true};
  service_.SetFault([&](const auto&) -> std::optional<ReportResult> {
    if (is_down) return Failure(absl::StatusCode::kUnavailable);
    return std::nullopt;
  });
  UsageReporterOptions options = Options(Durability::kMemory);
  options.max_memory_bytes = 2 << 20;
  options.full_timeout = kLong;
  FakeClock still;  // so that the wait ends with the room, not with time
  options.clock = &still;
  options.max_batch_records = 10;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  std::thread reports([&] {
    v1::UsageRecord record = NumberedRecord(0);
    record.set_usage_json(std::string(8000, ' '));
    for (int i = 0; i < 400; ++i) {
      record.set_record_id("r" + std::to_string(i));
      EXPECT_THAT(reporter->Report(record), IsOk());
    }
  });
  EXPECT_TRUE(Eventually(
      [&] { return reporter->counters().pending_bytes > 2'080'000; }));
  EXPECT_LT(reporter->counters().accepted, 400);
  is_down = false;
  EXPECT_TRUE(Eventually([&] {
    still.Advance(absl::Seconds(1));
    return service_.records().size() == 400;
  }));
  reports.join();
}

TEST_F(UsageReporterTest, GivesUpWaitingForRoom) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  UsageReporterOptions options = Options(Durability::kMemory);
  options.max_memory_bytes = 2 << 20;
  options.full_timeout = absl::Seconds(3);
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  v1::UsageRecord record = NumberedRecord(0);
  record.set_usage_json(std::string(8000, ' '));
  absl::Status status;
  while (status.ok()) status = reporter->Report(record);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(UsageReporterTest, WaitsLongerAfterEachFailureAndAsLongAsItIsAsked) {
  std::atomic<int> calls{0};
  std::vector<absl::Duration> waits;
  service_.SetFault([&](const auto&) -> std::optional<ReportResult> {
    const absl::Duration wait = clock_.TakeLongestWait();
    if (calls > 0) waits.push_back(wait);
    const int call = calls++;
    if (call < 5) return Failure(absl::StatusCode::kUnavailable);
    if (call == 5) {
      return Failure(absl::StatusCode::kResourceExhausted, "SERVER_BUSY",
                     absl::Seconds(100));
    }
    return std::nullopt;
  });
  UsageReporterOptions options = Options(Durability::kMemory);
  options.max_calls = 1;
  options.min_retry_delay = absl::Seconds(1);
  options.max_retry_delay = absl::Seconds(5);
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_TRUE(Eventually([&] { return service_.records().size() == 1; }));
  const auto between = [](absl::Duration low, absl::Duration high) {
    return AllOf(Ge(low), Le(high));
  };
  EXPECT_THAT(waits, ElementsAre(between(absl::Seconds(0.5), absl::Seconds(1)),
                                 between(absl::Seconds(1), absl::Seconds(2)),
                                 between(absl::Seconds(2), absl::Seconds(4)),
                                 between(absl::Seconds(2.5), absl::Seconds(5)),
                                 between(absl::Seconds(2.5), absl::Seconds(5)),
                                 absl::Seconds(100)));
  // One message is for the failures, and one for the recovery, which is logged
  // after the answer.
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("cannot be sent"),
                                      HasSubstr("sent again")));
}

TEST_F(UsageReporterTest, KeepsRecordsWhileCredentialsAreWrong) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnauthenticated, absl::StatusCode::kPermissionDenied,
        absl::StatusCode::kDataLoss, absl::StatusCode::kUnimplemented,
        absl::StatusCode::kInternal}) {
    FakeService service;
    std::atomic<int> calls{0};
    service.SetFault([&](const auto&) -> std::optional<ReportResult> {
      if (calls++ < 20) return Failure(code);
      return std::nullopt;
    });
    ASSERT_OK_AND_ASSIGN(const auto reporter,
                         UsageReporter::Start(Options(Durability::kMemory),
                                              NewTransport(&service)));
    ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
    EXPECT_THAT(reporter->Stop(kLong), IsOk());
    EXPECT_THAT(service.records(), SizeIs(1)) << code;
  }
}

TEST_F(UsageReporterTest, LeavesInTheSpoolWhatItCannotSend) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  {
    ASSERT_OK_AND_ASSIGN(const auto reporter,
                         Start(Options(Durability::kProcess)));
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
    }
    EXPECT_THAT(reporter->Stop(absl::Seconds(1)),
                StatusIs(absl::StatusCode::kDeadlineExceeded,
                         HasSubstr("10 records, which stay in the spool")));
  }
  service_.SetFault(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(10));
}

TEST_F(UsageReporterTest, AFailedSyncBreaksThePromise) {
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(Durability::kDisk)));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  files_.SetFailures(1);
  EXPECT_THAT(reporter->Report(NumberedRecord(2)),
              StatusIs(absl::StatusCode::kUnavailable));
  files_.SetFailures(0);
  EXPECT_THAT(reporter->Report(NumberedRecord(2)), IsOk());
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(2));
}

TEST_F(UsageReporterTest, GoesOnWhenAFullDiskHasRoomAgain) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  files_.SetCapacity(10'000);
  int accepted = 0;
  absl::Status status;
  while (true) {
    status = reporter->Report(NumberedRecord(accepted));
    if (!status.ok()) break;
    ++accepted;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               HasSubstr("No space left on device")));
  EXPECT_EQ(reporter->counters().unwritable, 1);
  files_.SetCapacity(1 << 20);
  ASSERT_THAT(reporter->Report(NumberedRecord(accepted)), IsOk());
  service_.SetFault(nullptr);
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(accepted + 1));
}

TEST_F(UsageReporterTest, TimeThatJumpsDelaysNothing) {
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kMemory)));
  v1::UsageRecord record = NumberedRecord(1);
  record.clear_record_id();
  record.clear_event_time();
  for (const int year : {2026, 2036, 2006, 2026}) {
    clock_.SetNow(absl::FromCivil(absl::CivilYear(year), absl::UTCTimeZone()));
    ASSERT_THAT(reporter->Report(record), IsOk());
    ASSERT_THAT(reporter->Flush(kLong), IsOk());
  }
  EXPECT_THAT(service_.records(), SizeIs(4));
}

TEST_F(UsageReporterTest, StartsOnADamagedSpoolAndCountsTheDamage) {
  service_.SetFault(
      [](const auto&) { return Failure(absl::StatusCode::kUnavailable); });
  {
    ASSERT_OK_AND_ASSIGN(const auto reporter,
                         Start(Options(Durability::kProcess)));
    for (int i = 0; i < 10; ++i) {
      ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
    }
  }
  const std::string path = "spool/00000000000000000001.demo.spool";
  std::string content = files_.Content(path);
  content[content.find("r5")] ^= 1;
  content.pop_back();
  files_.SetContent(path, content);
  service_.SetFault(nullptr);
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(8));
  EXPECT_EQ(reporter->counters().lost_records, 1);
  EXPECT_EQ(reporter->counters().torn_tails, 1);
  EXPECT_THAT(messages(), ::testing::Contains(HasSubstr("1 record")));
}

TEST_F(UsageReporterTest, RefusesToStartWithWrongOptions) {
  const auto start =
      [&](const std::function<void(UsageReporterOptions*)>& set) {
        UsageReporterOptions options = Options(Durability::kProcess);
        set(&options);
        return Start(std::move(options)).status();
      };
  using Options = UsageReporterOptions*;
  const auto is_invalid = [](const char* option) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(option));
  };
  EXPECT_THAT(start([](Options o) { o->project = "A"; }),
              is_invalid("project"));
  EXPECT_THAT(start([](Options o) { o->spool_folder = ""; }),
              is_invalid("spool_folder"));
  EXPECT_THAT(start([](Options o) { o->max_spool_bytes = 1000; }),
              is_invalid("max_spool_bytes"));
  EXPECT_THAT(start([](Options o) { o->max_batch_records = 1001; }),
              is_invalid("max_batch_records"));
  EXPECT_THAT(start([](Options o) { o->max_batch_bytes = 0; }),
              is_invalid("max_batch_bytes"));
  EXPECT_THAT(start([](Options o) { o->max_calls = 0; }),
              is_invalid("max_calls"));
  EXPECT_THAT(start([](Options o) { o->call_timeout = absl::ZeroDuration(); }),
              is_invalid("call_timeout"));
  EXPECT_THAT(start([](Options o) { o->call_timeout = absl::Hours(25); }),
              is_invalid("call_timeout"));
  EXPECT_THAT(start([](Options o) { o->min_retry_delay = absl::Hours(1); }),
              is_invalid("retry"));
}

TEST_F(UsageReporterTest, SaysWhyAFolderCannotBeUsed) {
  UsageReporterOptions options = Options(Durability::kProcess);
  options.files = FileSystem::Real();
  options.spool_folder = ::testing::TempDir() + "/no/such";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kNotFound,
                                       HasSubstr(options.spool_folder)));
  options.spool_folder = "/dev/null/spool";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kNotFound));
}

// While it exists, this thread obeys file permissions even as the superuser.
class WithoutOverride {
 public:
  WithoutOverride() {
    EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0);
    __user_cap_data_struct restricted[] = {before_[0], before_[1]};
    restricted[0].effective &= ~(1u << CAP_DAC_OVERRIDE);
    EXPECT_EQ(syscall(SYS_capset, &header_, restricted), 0);
  }
  ~WithoutOverride() { EXPECT_EQ(syscall(SYS_capset, &header_, before_), 0); }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2];
};

TEST_F(UsageReporterTest, SaysThatAFolderMayNotBeWritten) {
  const std::string folder = ::testing::TempDir() + "/read_only";
  ASSERT_EQ(mkdir(folder.c_str(), 0555), 0);
  const WithoutOverride restricted;
  UsageReporterOptions options = Options(Durability::kProcess);
  options.files = FileSystem::Real();
  options.spool_folder = folder;
  EXPECT_THAT(Start(options),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("read_only/lock: Permission")));
  options.spool_folder = folder + "/spool";
  EXPECT_THAT(Start(options),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("read_only/spool: Permission")));
}

TEST_F(UsageReporterTest, OwnsAFolderUntilItIsDestroyed) {
  UsageReporterOptions options = Options(Durability::kProcess);
  options.files = FileSystem::Real();
  options.spool_folder = ::testing::TempDir() + "/owned";
  ASSERT_OK_AND_ASSIGN(auto reporter, Start(options));
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("locked")));
  reporter.reset();
  EXPECT_THAT(Start(options), IsOk());
  options.project = "other";
  EXPECT_THAT(Start(options), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("expected project")));
}

TEST_F(UsageReporterTest, AForkedChildIsRefusedAndTheParentIsNotDisturbed) {
  UsageReporterOptions options = Options(Durability::kProcess);
  options.files = FileSystem::Real();
  options.clock = Clock::Real();
  options.spool_folder = ::testing::TempDir() + "/forked";
  ASSERT_OK_AND_ASSIGN(auto reporter, Start(options));
  const pid_t child = fork();
  if (child == 0) {
    const bool is_refused =
        absl::IsFailedPrecondition(reporter->Report(NumberedRecord(1))) &&
        absl::IsFailedPrecondition(reporter->Flush(absl::ZeroDuration())) &&
        reporter->counters().accepted == 0;
    reporter.reset();
    _exit(is_refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_THAT(reporter->Report(NumberedRecord(2)), IsOk());
  ASSERT_THAT(reporter->Stop(absl::Seconds(20)), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(1));
}

}  // namespace
}  // namespace tokenusage
