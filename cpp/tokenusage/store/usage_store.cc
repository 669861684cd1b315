// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/usage_store.h"

#include <future>

#include "tokenusage/record/same_content.h"

namespace tokenusage {

AppendOutcome CompareContent(const v1::UsageRecord& stored,
                             const v1::UsageRecord& reported) {
  if (SameContent(stored, reported)) return AppendOutcome::kDuplicate;
  AppendOutcome outcome = AppendOutcome::kConflict;
  outcome.differing_field = FirstDifference(stored, reported);
  return outcome;
}

AppendResult UsageStore::Append(std::string project,
                                std::shared_ptr<const CheckedBatch> batch) {
  // Shared with the callback, which may still be inside set_value when get
  // returns.
  auto answer = std::make_shared<std::promise<AppendResult>>();
  std::future<AppendResult> result = answer->get_future();
  AppendAsync(std::move(project), std::move(batch), CallLimits(),
              [answer](AppendResult outcomes) {
                answer->set_value(std::move(outcomes));
              });
  return result.get();
}

}  // namespace tokenusage
