// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/record_id.h"

#include <cstdint>
#include <random>

#include "tokenusage/client/fork_count.h"

namespace tokenusage {
namespace {

std::uint64_t RandomBits() {
  struct Source {
    Source() : fork_count(ForkCount()) {
      std::random_device device;
      std::seed_seq seed{device(), device(), device(), device(),
                         device(), device(), device(), device()};
      engine.seed(seed);
    }
    int fork_count;
    std::mt19937_64 engine;
  };
  thread_local Source source;
  // A forked child must not repeat its parent's ids.
  if (source.fork_count != ForkCount()) source = Source();
  return source.engine();
}

// Appends the lowest `digits` hex digits of `bits`.
void AppendHex(std::uint64_t bits, int digits, std::string* text) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text->push_back("0123456789abcdef"[(bits >> shift) & 0xf]);
  }
}

}  // namespace

std::string NewRecordId(absl::Time time) {
  constexpr std::int64_t kNanosPerMilli = 1'000'000;
  const std::int64_t nanos = absl::ToUnixNanos(time);
  const auto millis = static_cast<std::uint64_t>(nanos / kNanosPerMilli);
  const auto fraction = static_cast<std::uint64_t>(nanos % kNanosPerMilli *
                                                   4096 / kNanosPerMilli);
  const std::uint64_t random = RandomBits();
  std::string id;
  id.reserve(36);
  AppendHex(millis >> 16, 8, &id);
  id.push_back('-');
  AppendHex(millis, 4, &id);
  id.push_back('-');
  AppendHex(0x7000 | fraction, 4, &id);  // version 7
  id.push_back('-');
  AppendHex(0x8000 | (random >> 50), 4, &id);  // variant 10, 14 random bits
  id.push_back('-');
  AppendHex(random, 12, &id);
  return id;
}

}  // namespace tokenusage
