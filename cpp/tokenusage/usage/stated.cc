// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/stated.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tokenusage::usage_internal {
namespace {

// Returns the counts that are stated, as "prompt_tokens (12) + ...".
std::string Describe(StatedList counts) {
  std::vector<std::string> terms;
  for (const auto& [count] : counts) {
    if (!count.is_set) continue;
    terms.push_back(
        absl::StrCat(count.field, " (", count.amount.ToDecimal(), ")"));
  }
  return absl::StrJoin(terms, " + ");
}

}  // namespace

void Counter::Note(v1::UsageInconsistencyReason reason, StatedList counts,
                   const char* relation, StatedList others) {
  counts_.set_inconsistent();
  if (why_ == nullptr) return;
  v1::UsageInconsistency& inconsistency = why_->emplace_back();
  inconsistency.set_reason(reason);
  for (const auto& [count] : counts) {
    if (!count.is_set) continue;
    const std::string field =
        count.field;  // without the kind of a list's count
    inconsistency.set_field(field.substr(0, field.find('[')));
    break;
  }
  inconsistency.set_message(
      absl::StrCat(Describe(counts), relation, Describe(others)));
}

}  // namespace tokenusage::usage_internal
