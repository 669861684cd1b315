// SPDX-License-Identifier: Apache-2.0

// How much of what callers sent is in memory at once, and whose it is.
//
//   AdmissionBudget budget(48 << 20);
//   std::optional<AdmissionBudget::Share> share = budget.TryTake(bytes);
//   if (!share) return Busy();                    // all of it is taken
//   if (!share->TryAssign(project)) return Busy();  // this project has enough
//   ...  // given back when the share is destroyed
//
// A project may take as much as is still free. So one that floods the server
// gets half of the budget, two get a third each, and there is always room for
// one more.

#ifndef TOKENUSAGE_SERVICE_SERVER_ADMISSION_BUDGET_H_
#define TOKENUSAGE_SERVICE_SERVER_ADMISSION_BUDGET_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace tokenusage {

// Thread-safe. Must outlive its shares.
class AdmissionBudget {
 public:
  // A part of the budget, given back when it is destroyed. Movable. One thread
  // at a time.
  class Share {
   public:
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          bytes_(other.bytes_),
          project_(std::move(other.project_)) {}
    Share& operator=(Share&&) = delete;
    ~Share();

    // Makes it the project's, whose name must not be empty. False where the
    // project has as much as is free; true in any case where it has nothing
    // yet. To be called until it is true, and not again. `retry` as in TryTake.
    bool TryAssign(const std::string& project,
                   std::function<void()> retry = nullptr);

    // Takes what the share was short of, whether there is room or not.
    void GrowTo(std::int64_t bytes);

   private:
    friend class AdmissionBudget;
    Share(AdmissionBudget* budget, std::int64_t bytes)
        : budget_(budget), bytes_(bytes) {}

    AdmissionBudget* budget_;
    std::int64_t bytes_;
    std::string project_;  // empty until it is assigned
  };

  explicit AdmissionBudget(std::int64_t max_bytes) : max_bytes_(max_bytes) {}

  AdmissionBudget(const AdmissionBudget&) = delete;
  AdmissionBudget& operator=(const AdmissionBudget&) = delete;

  // Nothing where less than `bytes` is free, unless all of it is. Then `retry`,
  // if it is set, is called once, when some share has been given back, from the
  // thread that does so; it must not block.
  std::optional<Share> TryTake(std::int64_t bytes,
                               std::function<void()> retry = nullptr);

  // Waits until all shares have been given back, and whoever waited for that
  // has been called. Whoever shares the budget with other threads calls it
  // before what they use is destroyed.
  void AwaitReturn();

  // What is taken, in bytes.
  std::int64_t taken() const;

 private:
  void Release(const Share& share);

  const std::int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  int shares_ = 0;  // guarded by mutex_, as are those below
  std::int64_t taken_ = 0;
  absl::flat_hash_map<std::string, std::int64_t> by_project_;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_ADMISSION_BUDGET_H_
