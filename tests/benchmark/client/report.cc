// SPDX-License-Identifier: Apache-2.0

// Measures the cost of UsageReporter::Report and the least that it could cost,
// in turns:
//
//  - in memory, beside a queue of messages behind a mutex, with a thread that
//    empties it;
//  - with a spool, beside one write of the same bytes to a file in the same
//    folder;
//
// and the time that a spool of a million records takes to open and to read.
//
//   bazel run -c opt //tests/benchmark/client:report
//
// The service is replaced by a transport that answers at once.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/records.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {
namespace {

constexpr int kRounds = 7;
constexpr int kReports = 200'000;  // a round, by all threads together
constexpr int kSpooled = 1'000'000;

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::abort();
}

// Answers that everything was stored, without parsing it.
class Sink : public ReportTransport {
 public:
  ReportResult Report(const std::string& request, absl::Duration) override {
    ReportResult result;
    int count = 0;
    std::size_t position = 2 + static_cast<std::size_t>(request[1]);
    while (position < request.size()) {
      ++position;  // the tag
      std::size_t length = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(request[position++]);
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      position += length;
      ++count;
    }
    result.response.set_stored_count(count);
    return result;
  }
  void Cancel() override {}
};

std::unique_ptr<UsageReporter> StartReporter(Durability durability,
                                             const std::string& folder) {
  UsageReporterOptions options;
  options.project = "demo";
  options.durability = durability;
  if (durability != Durability::kMemory) options.spool_folder = folder;
  options.max_memory_bytes = std::int64_t{1} << 30;
  options.max_spool_bytes = std::int64_t{4} << 30;
  auto reporter =
      UsageReporter::Start(std::move(options), std::make_unique<Sink>());
  Require(reporter.status());
  return *std::move(reporter);
}

// A queue of messages, and a thread that empties it.
class MutexQueue {
 public:
  MutexQueue() : thread_([this] { Run(); }) {}
  ~MutexQueue() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void Push(v1::UsageRecord record) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(record));
    if (queue_.size() == 1) changed_.notify_one();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (!is_closed_ || !queue_.empty()) {
      changed_.wait(lock, [this] { return is_closed_ || !queue_.empty(); });
      {
        const std::deque<v1::UsageRecord> taken = std::exchange(queue_, {});
        lock.unlock();
      }  // destroyed while others can push
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<v1::UsageRecord> queue_;
  bool is_closed_ = false;
  std::thread thread_;
};

// Runs `report` kReports times, by several threads. Returns the time of each in
// nanoseconds, as its thread sees it.
double Time(int threads, const std::function<void()>& report) {
  std::vector<std::thread> running;
  const absl::Time start = absl::Now();
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&report, threads] {
      for (int n = 0; n < kReports / threads; ++n) report();
    });
  }
  for (std::thread& thread : running) thread.join();
  return absl::ToDoubleNanoseconds(absl::Now() - start) / kReports * threads;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Compare(const char* what, int threads, const std::function<double()>& ours,
             const std::function<double()>& theirs) {
  std::vector<double> our_times, their_times, ratios;
  for (int round = 0; round < kRounds; ++round) {
    our_times.push_back(ours());
    their_times.push_back(theirs());
    ratios.push_back(our_times.back() / their_times.back());
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf(
      "%-28s %d threads: %6.0f ns beside %6.0f ns, ratio %.2f (%.2f to "
      "%.2f)\n",
      what, threads, Median(our_times), Median(their_times), Median(ratios),
      ratios.front(), ratios.back());
  std::fflush(stdout);
}

// Returns the time of a report in nanoseconds. Each report copies the message,
// as a gateway makes one: the copy counts, although a write needs none.
double TimeReporter(int threads, Durability durability,
                    const std::string& folder, const v1::UsageRecord& record) {
  std::filesystem::remove_all(folder);
  const auto reporter = StartReporter(durability, folder);
  return Time(threads, [&] { Require(reporter->Report(record)); });
}

double TimeQueue(int threads, const v1::UsageRecord& record) {
  MutexQueue queue;
  return Time(threads, [&] { queue.Push(record); });
}

double TimeWrite(int threads, const std::string& path,
                 const v1::UsageRecord& record) {
  const std::string bytes = record.SerializeAsString();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const double time = Time(threads, [&] {
    if (write(file, bytes.data(), bytes.size()) < 0) std::abort();
  });
  close(file);
  return time;
}

class Unreachable : public ReportTransport {
 public:
  ReportResult Report(const std::string&, absl::Duration) override {
    ReportResult result;
    result.status = absl::UnavailableError("");
    return result;
  }
  void Cancel() override {}
};

void MeasureSpool(const std::string& folder, const v1::UsageRecord& record) {
  std::filesystem::remove_all(folder);
  UsageReporterOptions options;
  options.project = "demo";
  options.durability = Durability::kProcess;
  options.spool_folder = folder;
  {
    const auto reporter =
        UsageReporter::Start(options, std::make_unique<Unreachable>());
    Require(reporter.status());
    for (int i = 0; i < kSpooled; ++i) Require((*reporter)->Report(record));
  }
  const absl::Time start = absl::Now();
  const auto reporter = UsageReporter::Start(options, std::make_unique<Sink>());
  Require(reporter.status());
  const absl::Time opened = absl::Now();
  Require((*reporter)->Stop(absl::Hours(1)));
  const double seconds = absl::ToDoubleSeconds(absl::Now() - opened);
  std::printf("a spool of %d records opens in %.3f s and drains at %.0f/s\n",
              kSpooled, absl::ToDoubleSeconds(opened - start),
              kSpooled / seconds);
}

int Run() {
  const std::string folder = (std::filesystem::temp_directory_path() /
                              ("tokenusage-report-" + std::to_string(getpid())))
                                 .string();
  std::filesystem::create_directory(folder);
  v1::UsageRecord record = testing::ValidRecord();
  std::printf("a record of %d bytes\n",
              static_cast<int>(record.ByteSizeLong()));
  for (const int threads : {1, 4}) {
    Compare(
        "in memory, a queue", threads,
        [&] { return TimeReporter(threads, Durability::kMemory, "", record); },
        [&] { return TimeQueue(threads, record); });
  }
  for (const int threads : {1, 4}) {
    Compare(
        "in the spool, a write", threads,
        [&] {
          return TimeReporter(threads, Durability::kProcess, folder + "/spool",
                              record);
        },
        [&] { return TimeWrite(threads, folder + "/file", record); });
  }
  MeasureSpool(folder + "/spool", record);
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace tokenusage

int main() { return tokenusage::Run(); }
