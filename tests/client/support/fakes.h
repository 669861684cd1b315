// SPDX-License-Identifier: Apache-2.0

// A service and a clock for tests of a UsageReporter.

#ifndef TOKENUSAGE_TESTS_CLIENT_SUPPORT_FAKES_H_
#define TOKENUSAGE_TESTS_CLIENT_SUPPORT_FAKES_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tokenusage/client/clock.h"
#include "tokenusage/client/report_transport.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::testing {

// A clock whose time passes only by Advance or, if it advances itself, also by
// up to a second in each millisecond that a thread waits. Thread-safe.
class FakeClock : public Clock {
 public:
  explicit FakeClock(bool advances_itself = false)
      : advances_itself_(advances_itself) {}

  absl::Time Now() override;
  absl::Duration Uptime() override;
  void Wait(std::condition_variable* condition,
            std::unique_lock<std::mutex>* lock,
            absl::Duration timeout) override;

  void Advance(absl::Duration time);
  void SetNow(absl::Time now);  // a jump, which Uptime does not see

  // Returns the longest wait that was asked for and is over, since the last
  // call.
  absl::Duration TakeLongestWait();

 private:
  const bool advances_itself_;
  std::mutex mutex_;
  absl::Duration uptime_;
  absl::Duration longest_wait_;
  absl::Time start_ = absl::FromUnixSeconds(1'790'000'000);
};

// Stores each record once, by id, as a service does. Thread-safe.
class FakeService {
 public:
  // Returns the result of a call whose records are not to be stored, or nullopt
  // to store them. Called with no lock held.
  using Fault = std::function<std::optional<ReportResult>(
      const v1::ReportUsageRequest& request)>;

  ReportResult Report(const std::string& request);

  // Stores the records, whatever the fault is.
  ReportResult Store(const v1::ReportUsageRequest& request);

  void SetFault(Fault fault);

  // Refuses records with this id from now on.
  void RefuseRecord(const std::string& record_id);

  std::map<std::string, v1::UsageRecord> records() const;
  std::vector<int> batch_sizes() const;

 private:
  mutable std::mutex mutex_;  // guards the members below
  Fault fault_;
  std::map<std::string, bool> refused_ids_;
  std::map<std::string, v1::UsageRecord> records_;
  std::vector<int> batch_sizes_;
};

// Returns a transport that calls `service`, which must outlive it.
std::unique_ptr<ReportTransport> NewTransport(FakeService* service);

// Returns a result with an error.
ReportResult Failure(absl::StatusCode code, std::string reason = "",
                     std::optional<absl::Duration> pushback = std::nullopt);

// Returns a valid record with the id "r<number>".
v1::UsageRecord NumberedRecord(int number);

// Waits up to 20 seconds for a condition, and returns whether it holds.
bool Eventually(const std::function<bool()>& condition);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_CLIENT_SUPPORT_FAKES_H_
