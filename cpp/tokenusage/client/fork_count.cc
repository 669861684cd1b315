// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/fork_count.h"

#include <pthread.h>

#include <atomic>

namespace tokenusage {
namespace {

std::atomic<int> fork_count{0};

}  // namespace

int ForkCount() {
  static const int unused = pthread_atfork(nullptr, nullptr, [] {
    fork_count.fetch_add(1, std::memory_order_relaxed);
  });
  static_cast<void>(unused);
  return fork_count.load(std::memory_order_relaxed);
}

}  // namespace tokenusage
