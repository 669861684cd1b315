// SPDX-License-Identifier: Apache-2.0

// The amounts that one usage states, by measure.
//
//   UsageCounts counts = CountUsage(chat_usage);
//   if (counts.Has(v1::USAGE_MEASURE_CACHE_READ_TOKENS)) {
//     cached += counts[v1::USAGE_MEASURE_CACHE_READ_TOKENS];
//   }
//   counts.ForEach([](v1::UsageMeasure measure, Amount amount) { ... });

#ifndef TOKENUSAGE_USAGE_USAGE_COUNTS_H_
#define TOKENUSAGE_USAGE_USAGE_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "tokenusage/usage/amount.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage {

// The largest number of a measure; the least is 1.
inline constexpr int kMaxUsageMeasure = v1::UsageMeasure_MAX;
static_assert(kMaxUsageMeasure < 64, "a MeasureSet has 64 bits");

// A set of measures, by their numbers.
class MeasureSet {
 public:
  bool Has(v1::UsageMeasure measure) const { return bits_ >> measure & 1; }
  void Add(v1::UsageMeasure measure) { bits_ |= std::uint64_t{1} << measure; }
  void Add(MeasureSet other) { bits_ |= other.bits_; }
  void Remove(v1::UsageMeasure measure) {
    bits_ &= ~(std::uint64_t{1} << measure);
  }
  bool empty() const { return bits_ == 0; }
  std::size_t size() const {
    return static_cast<std::size_t>(__builtin_popcountll(bits_));
  }

  // Returns whether all measures of `other` are in the set.
  bool Contains(MeasureSet other) const { return (other.bits_ & ~bits_) == 0; }

  // Returns how many measures of the set have smaller numbers.
  int CountBelow(v1::UsageMeasure measure) const {
    return __builtin_popcountll(bits_ & ((std::uint64_t{1} << measure) - 1));
  }

  // Calls `visit(measure)` for each measure, in ascending order.
  template <typename Visitor>
  void ForEach(const Visitor& visit) const {
    for (std::uint64_t rest = bits_; rest != 0; rest &= rest - 1) {
      visit(static_cast<v1::UsageMeasure>(__builtin_ctzll(rest)));
    }
  }

  friend bool operator==(MeasureSet a, MeasureSet b) {
    return a.bits_ == b.bits_;
  }

 private:
  std::uint64_t bits_ = 0;
};

// An amount for each measure that the usage states. A value type.
class UsageCounts {
 public:
  // Leaves the amounts uninitialized: zeroing them all would take longer than
  // counting.
  UsageCounts() {}  // NOLINT(modernize-use-equals-default)

  MeasureSet measures() const { return measures_; }
  bool Has(v1::UsageMeasure measure) const { return measures_.Has(measure); }

  // Returns the amount of a measure, which must be stated.
  Amount operator[](v1::UsageMeasure measure) const {
    return amounts_[static_cast<std::size_t>(measure)].value;
  }

  void Set(v1::UsageMeasure measure, Amount amount) {
    measures_.Add(measure);
    amounts_[static_cast<std::size_t>(measure)].value = amount;
  }

  // Calls `visit(measure, amount)` for each measure that is stated, in
  // ascending order.
  template <typename Visitor>
  void ForEach(const Visitor& visit) const {
    measures_.ForEach(
        [&](v1::UsageMeasure measure) { visit(measure, (*this)[measure]); });
  }

  // Returns whether the usage contradicts itself; it is counted as stated.
  bool inconsistent() const { return inconsistent_; }
  void set_inconsistent() { inconsistent_ = true; }

  // Returns whether a count was left out because it is out of range.
  bool out_of_range() const { return out_of_range_; }
  void set_out_of_range() { out_of_range_ = true; }

  // Returns whether a count that may be required is not stated: see
  // Counter::Require.
  bool incomplete() const { return incomplete_; }
  void set_incomplete() { incomplete_ = true; }

  // Returns whether the provider stated no usage (v1::UnknownUsage).
  bool unknown() const { return unknown_; }
  void set_unknown() { unknown_ = true; }

  // Compares all but out_of_range and incomplete.
  friend bool operator==(const UsageCounts& a, const UsageCounts& b) {
    bool equal = a.measures_ == b.measures_ &&
                 a.inconsistent_ == b.inconsistent_ && a.unknown_ == b.unknown_;
    a.measures_.ForEach([&](v1::UsageMeasure measure) {
      equal = equal && b.Has(measure) && a[measure] == b[measure];
    });
    return equal;
  }

 private:
  // Storage for an Amount, left uninitialized.
  union Slot {
    Slot() {}  // NOLINT(modernize-use-equals-default)
    Amount value;
  };

  MeasureSet measures_;
  bool inconsistent_ = false;
  bool unknown_ = false;
  bool out_of_range_ = false;
  bool incomplete_ = false;
  std::array<Slot, kMaxUsageMeasure + 1> amounts_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_USAGE_COUNTS_H_
