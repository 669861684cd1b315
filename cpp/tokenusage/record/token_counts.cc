// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/token_counts.h"

namespace tokenusage {

TokenCounts CountsOf(const v1::UsageRecord& record) {
  TokenCounts counts;
  ForEachCount(record, [&](TokenMeasure measure, bool is_set, double count) {
    if (is_set) counts[measure] = TokenAmount::FromCount(count);
  });
  return counts;
}

}  // namespace tokenusage
