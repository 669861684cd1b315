// SPDX-License-Identifier: Apache-2.0

#include "tests/client/support/fakes.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "tests/support/records.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"

namespace tokenusage::testing {

absl::Time FakeClock::Now() {
  const std::lock_guard lock(mutex_);
  return start_ + uptime_;
}

absl::Duration FakeClock::Uptime() {
  const std::lock_guard lock(mutex_);
  return uptime_;
}

void FakeClock::Wait(std::condition_variable* condition,
                     std::unique_lock<std::mutex>* lock,
                     absl::Duration timeout) {
  // Short, so that an advance is seen soon.
  const bool is_notified =
      condition->wait_for(*lock, std::chrono::milliseconds(1)) ==
      std::cv_status::no_timeout;
  const std::lock_guard own_lock(mutex_);
  if (timeout == absl::InfiniteDuration()) return;
  longest_wait_ = std::max(longest_wait_, timeout);
  if (advances_itself_ && !is_notified) {
    uptime_ += std::min(timeout, absl::Seconds(1));
  }
}

void FakeClock::Advance(absl::Duration time) {
  const std::lock_guard lock(mutex_);
  uptime_ += time;
}

void FakeClock::SetNow(absl::Time now) {
  const std::lock_guard lock(mutex_);
  start_ = now - uptime_;
}

absl::Duration FakeClock::TakeLongestWait() {
  const std::lock_guard lock(mutex_);
  return std::exchange(longest_wait_, absl::ZeroDuration());
}

ReportResult FakeService::Report(const std::string& request) {
  v1::ReportUsageRequest parsed;
  if (!parsed.ParseFromString(request)) {
    return Failure(absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED");
  }
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    fault = fault_;
  }
  if (fault) {
    if (auto result = fault(parsed)) return *result;
  }
  return Store(parsed);
}

ReportResult FakeService::Store(const v1::ReportUsageRequest& request) {
  ReportResult result;
  const std::lock_guard lock(mutex_);
  batch_sizes_.push_back(request.records_size());
  for (int i = 0; i < request.records_size(); ++i) {
    const v1::UsageRecord& record = request.records(i);
    auto error = CheckRecord(record, CountRecord(record));
    if (!error.has_value() && refused_ids_.count(record.record_id()) > 0) {
      error.emplace();
      error->set_reason(v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT);
      error->set_field("record_id");
      error->set_message("another record has this id");
    }
    if (error.has_value()) {
      error->set_index(i);
      *result.response.add_errors() = *error;
    } else if (records_.emplace(record.record_id(), record).second) {
      result.response.set_stored_count(result.response.stored_count() + 1);
    } else {
      result.response.set_duplicate_count(result.response.duplicate_count() +
                                          1);
    }
  }
  return result;
}

void FakeService::SetFault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

void FakeService::RefuseRecord(const std::string& record_id) {
  const std::lock_guard lock(mutex_);
  refused_ids_[record_id] = true;
}

std::map<std::string, v1::UsageRecord> FakeService::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

std::vector<int> FakeService::batch_sizes() const {
  const std::lock_guard lock(mutex_);
  return batch_sizes_;
}

namespace {

class FakeTransport : public ReportTransport {
 public:
  explicit FakeTransport(FakeService* service) : service_(service) {}

  ReportResult Report(const std::string& request, absl::Duration) override {
    if (is_cancelled_) return Failure(absl::StatusCode::kCancelled);
    return service_->Report(request);
  }
  void Cancel() override { is_cancelled_ = true; }

 private:
  FakeService* const service_;
  std::atomic<bool> is_cancelled_{false};
};

}  // namespace

std::unique_ptr<ReportTransport> NewTransport(FakeService* service) {
  return std::make_unique<FakeTransport>(service);
}

ReportResult Failure(absl::StatusCode code, std::string reason,
                     std::optional<absl::Duration> pushback) {
  ReportResult result;
  result.status = absl::Status(code, "as the test wants it");
  result.reason = std::move(reason);
  result.pushback = pushback;
  return result;
}

v1::UsageRecord NumberedRecord(int number) {
  v1::UsageRecord record = ValidRecord();
  record.set_record_id("r" + std::to_string(number));
  return record;
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tokenusage::testing
