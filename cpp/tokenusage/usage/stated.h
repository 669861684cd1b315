// SPDX-License-Identifier: Apache-2.0

// The vocabulary of the providers' counting rules; bedrock.cc is an example.
// Only for the files of this folder.

#ifndef TOKENUSAGE_USAGE_STATED_H_
#define TOKENUSAGE_USAGE_STATED_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "tokenusage/usage/amount.h"
#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage::usage_internal {

// A count that a usage states, or does not.
struct Stated {
  Amount amount;  // zero if not set
  // Its path, starting at the usage message. A count in a list is followed by
  // its kind: "prompt_tokens_details[TEXT]".
  const char* field = "";
  bool is_set = false;
  bool out_of_range = false;

  // Adds a count. The sum is stated if either of them is.
  Stated& operator+=(const Stated& other) {
    amount += other.amount;
    is_set = is_set || other.is_set;
    out_of_range = out_of_range || other.out_of_range;
    return *this;
  }
};

// Makes a Stated. A count that is out of range is taken as not stated, since
// sums of such counts could overflow.
inline Stated MakeStated(bool is_set, std::int64_t count, const char* field) {
  const bool good = is_set && count >= 0 && count <= std::int64_t{1} << 53;
  return {good ? Amount::FromInteger(count) : Amount(), field, good,
          is_set && !good};
}
inline Stated MakeStated(bool is_set, double count, const char* field) {
  const bool good = is_set && count >= 0 && count <= kMaxCount;
  return {good ? Amount::FromCount(count) : Amount(), field, good,
          is_set && !good};
}

// A reference to a Stated, since a list would copy it.
struct StatedRef {
  StatedRef(const Stated& stated)  // NOLINT(google-explicit-constructor)
      : stated(stated) {}
  const Stated& stated;
};
using StatedList = std::initializer_list<StatedRef>;

// Returns the sum of the counts; nothing if one of them is not stated.
inline std::optional<Amount> SumOfAll(StatedList counts) {
  Amount sum;
  for (const auto& [count] : counts) {
    if (!count.is_set) return std::nullopt;
    sum += count.amount;
  }
  return sum;
}

// Returns whether all are stated, and the whole is the sum of the parts.
inline bool IsSum(const Stated& whole, StatedList parts) {
  return whole.is_set && SumOfAll(parts) == whole.amount;
}

// Assigns counts to their measures and notes contradictions.
class Counter {
 public:
  // If `why` is not null, the contradictions are described there.
  Counter(UsageCounts* counts, std::vector<v1::UsageInconsistency>* why)
      : counts_(*counts), why_(why) {}

  // Sets the measure if the count is stated. Returns the count.
  const Stated& Set(v1::UsageMeasure measure, const Stated& count) {
    if (count.is_set) counts_.Set(measure, count.amount);
    if (count.out_of_range) counts_.set_out_of_range();
    return count;
  }

  // Marks the usage as incomplete if it does not state all of the counts.
  void Require(StatedList counts) {
    for (const auto& [count] : counts) {
      if (!count.is_set) counts_.set_incomplete();
    }
  }

  // Returns the sum of the counts that are stated; it is not stated if none is.
  // `name` is its name in messages, such as "all input tokens".
  static Stated Sum(const char* name, StatedList counts) {
    Stated sum = {Amount(), name, false};
    for (const auto& [count] : counts) sum += count;
    return sum;
  }

  // Returns the first count that is stated. Notes a contradiction for any other
  // that is stated and differs.
  template <typename... Others>
  Stated OneOf(const Stated& first, const Others&... others) {
    Stated found = first;
    (TakeAlias(others, &found), ...);
    return found;
  }

  // Notes a contradiction if the part is more than the whole. Does nothing if
  // either is not stated.
  void CheckPart(const Stated& part, const Stated& whole) {
    if (part.is_set && whole.is_set && whole.amount < part.amount) {
      Note(v1::USAGE_INCONSISTENCY_REASON_PART_EXCEEDS_WHOLE, {part},
           " is more than ", {whole});
    }
  }

  // Does the same for the sum of parts that exclude each other.
  void CheckParts(StatedList parts, const Stated& whole) {
    Amount sum;
    for (const auto& [part] : parts) sum += part.amount;
    if (whole.is_set && whole.amount < sum) {
      Note(v1::USAGE_INCONSISTENCY_REASON_PART_EXCEEDS_WHOLE, parts,
           " is more than ", {whole});
    }
  }

  // Notes a contradiction unless the whole is the sum of the parts. Does
  // nothing if one of them is not stated.
  void CheckSum(const Stated& whole, StatedList parts) {
    const std::optional<Amount> sum = SumOfAll(parts);
    if (whole.is_set && sum.has_value() && *sum != whole.amount) {
      Note(v1::USAGE_INCONSISTENCY_REASON_WHOLE_IS_NOT_SUM, {whole}, " is not ",
           parts);
    }
  }

 private:
  void TakeAlias(const Stated& other, Stated* found) {
    if (other.out_of_range) counts_.set_out_of_range();
    if (!other.is_set) return;
    if (found->out_of_range) counts_.set_out_of_range();
    if (!found->is_set) *found = other;
    if (other.amount != found->amount) {
      Note(v1::USAGE_INCONSISTENCY_REASON_DUPLICATES_DIFFER, {other},
           " is not ", {*found});
    }
  }

  // Marks the usage, and describes why: `counts` `relation` `others`.
  void Note(v1::UsageInconsistencyReason reason, StatedList counts,
            const char* relation, StatedList others);

  UsageCounts& counts_;
  std::vector<v1::UsageInconsistency>* const why_;
};

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_STATED_H_
