// SPDX-License-Identifier: Apache-2.0

// A thread that repeats a job.
//
//   Repeater repeater([&] {
//     RemoveOldFiles([&] { return repeater.ending(); });
//     return absl::Hours(1);
//   });

#ifndef TOKENUSAGE_SERVICE_SERVER_REPEATER_H_
#define TOKENUSAGE_SERVICE_SERVER_REPEATER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace tokenusage {

// Thread-safe.
class Repeater {
 public:
  // Calls `job` at once, and then each time after the delay that it returned,
  // which may be infinite.
  explicit Repeater(std::function<absl::Duration()> job);

  // Waits for the job if it is running.
  ~Repeater();

  Repeater(const Repeater&) = delete;
  Repeater& operator=(const Repeater&) = delete;

  // Ends the present delay, or the next one if the job is running.
  void Wake();

  // Returns whether the destructor has begun: then a long job should return.
  bool ending() const;

 private:
  void Run();

  const std::function<absl::Duration()> job_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;   // guarded by mutex_
  bool ending_ = false;  // guarded by mutex_
  std::thread thread_;   // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_REPEATER_H_
