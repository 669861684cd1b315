// SPDX-License-Identifier: Apache-2.0

// Bounds the memory of requests, and shares it between projects.
//
//   AdmissionBudget budget(48 << 20);
//   std::optional<AdmissionBudget::Share> share = budget.TryTake(bytes);
//   if (!share) return Busy();                      // the budget is used up
//   if (!share->TryAssign(project)) return Busy();  // the project has enough
//   ...  // returned when the share is destroyed
//
// A project may hold at most as much as is still free. A single project that
// floods the server gets half of the budget, two get a third each, and there is
// always room for one more.

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
  // A part of the budget, returned when it is destroyed. Movable. Not
  // thread-safe.
  class Share {
   public:
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          bytes_(other.bytes_),
          project_(std::move(other.project_)) {}
    Share& operator=(Share&&) = delete;
    ~Share();

    // Assigns the share to a project, whose name must not be empty. Returns
    // false if the project would then have more than is free, unless it has
    // nothing yet. Do not call it again once it has returned true. `retry` is
    // as in TryTake.
    bool TryAssign(const std::string& project,
                   std::function<void()> retry = nullptr);

    // Grows the share to `bytes`, even beyond the budget.
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

  // Takes `bytes` of the budget, however many if none are taken yet. Returns
  // nullopt if fewer are free; in that case `retry`, if set, is called once,
  // when a share is returned, by the thread that returns it. It must not block.
  std::optional<Share> TryTake(std::int64_t bytes,
                               std::function<void()> retry = nullptr);

  // Waits until all shares are returned and their callbacks have run. Call it
  // before the objects that the callbacks use are destroyed.
  void AwaitReturn();

  // Returns the bytes that are taken.
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
