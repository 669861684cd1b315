// SPDX-License-Identifier: Apache-2.0

// Counts as the member `counts` of golden and extraction cases states them.

#ifndef TOKENUSAGE_TESTS_SUPPORT_COUNTS_H_
#define TOKENUSAGE_TESTS_SUPPORT_COUNTS_H_

#include <map>
#include <string>

#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage::testing {

// Returns the counts as decimals, by the names of their measures.
inline std::map<std::string, std::string> CountsByName(
    const UsageCounts& counts) {
  const auto* const names = v1::TokenUsage::descriptor();
  std::map<std::string, std::string> by_name;
  counts.ForEach([&](v1::UsageMeasure measure, Amount amount) {
    by_name[std::string(names->FindFieldByNumber(measure)->name())] =
        amount.ToDecimal();
  });
  return by_name;
}

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_SUPPORT_COUNTS_H_
