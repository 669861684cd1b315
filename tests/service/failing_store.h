// SPDX-License-Identifier: Apache-2.0

// A store that answers everything with one error.

#ifndef TOKENUSAGE_TESTS_SERVICE_FAILING_STORE_H_
#define TOKENUSAGE_TESTS_SERVICE_FAILING_STORE_H_

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Thread-safe.
class FailingStore final : public UsageStore {
 public:
  explicit FailingStore(absl::Status error) : error_(std::move(error)) {}

  void AppendAsync(std::string, std::shared_ptr<const CheckedBatch>, CallLimits,
                   AppendCallback done) override {
    done(error_);
  }
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery&) override {
    return error_;
  }
  absl::StatusOr<v1::UsageRecord> GetRecord(std::string_view,
                                            std::string_view) override {
    return error_;
  }
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery&) override {
    return error_;
  }
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits&) override {
    return error_;
  }
  absl::Status CheckWritable() override {
    ++times_asked_;
    if (on_asked_) on_asked_();
    return writable_ ? absl::OkStatus() : error_;
  }

  // Sets the answer of CheckWritable; an error at first.
  void set_writable(bool writable) { writable_ = writable; }
  // Sets what CheckWritable calls. Must be called before other threads use the
  // store.
  void set_on_asked(std::function<void()> call) { on_asked_ = std::move(call); }
  int times_asked() const { return times_asked_; }

 private:
  const absl::Status error_;
  std::atomic<bool> writable_{false};
  std::atomic<int> times_asked_{0};
  std::function<void()> on_asked_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SERVICE_FAILING_STORE_H_
