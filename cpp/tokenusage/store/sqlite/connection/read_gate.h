// SPDX-License-Identifier: Apache-2.0

// Gives the writer a moment without readers, in which SQLite can start its
// write-ahead log from the beginning. If reads always overlapped, it never
// could.
//
//   TOKENUSAGE_RETURN_IF_ERROR(gate.Enter(limits));
//   ... read ...
//   gate.Leave();

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_READ_GATE_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_READ_GATE_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Thread-safe.
class ReadGate {
 public:
  // Sets the function that the last reader to leave a closed gate calls. Must
  // be called before a reader can be inside a closed gate.
  void set_on_empty(std::function<void()> on_empty) {
    on_empty_ = std::move(on_empty);
  }

  // Waits while the gate is closed, then counts a reader.
  //
  // Errors: DEADLINE_EXCEEDED, CANCELLED by `limits`.
  absl::Status Enter(const CallLimits& limits);

  void Leave();

  // Closes the gate: from now on readers wait. Returns whether none is left
  // inside.
  bool Close();
  void Open();

  // Waits until no reader is left in a closed gate.
  void AwaitEmpty();

 private:
  std::function<void()> on_empty_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int readers_ = 0;
  bool closed_ = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_READ_GATE_H_
