// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/record_id.h"

#include <cstdint>
#include <random>

#include "absl/strings/str_cat.h"
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

}  // namespace

std::string NewRecordId(absl::Time time) {
  constexpr std::int64_t kNanosPerMilli = 1'000'000;
  const std::int64_t nanos = absl::ToUnixNanos(time);
  const auto millis = static_cast<std::uint64_t>(nanos / kNanosPerMilli);
  const auto fraction = static_cast<std::uint64_t>(nanos % kNanosPerMilli *
                                                   4096 / kNanosPerMilli);
  const std::uint64_t random = RandomBits();
  // The digit 7, then the 12 bits of the fraction.
  const auto version = static_cast<std::uint16_t>(0x7000 | fraction);
  // The bits 10, then 14 random bits.
  const std::uint64_t variant = 0x8000 | (random >> 50);
  return absl::StrCat(
      absl::Hex(static_cast<std::uint32_t>(millis >> 16), absl::kZeroPad8), "-",
      absl::Hex(static_cast<std::uint16_t>(millis), absl::kZeroPad4), "-",
      absl::Hex(version, absl::kZeroPad4), "-",
      absl::Hex(variant, absl::kZeroPad4), "-",
      absl::Hex(random & 0xffff'ffff'ffff, absl::kZeroPad12));
}

}  // namespace tokenusage
