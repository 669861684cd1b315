// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/usage_store.h"

#include <future>
#include <memory>
#include <utility>

namespace tokenusage {
namespace {

absl::Status NotForOperators() {
  return absl::UnimplementedError("this store cannot be cared for");
}

}  // namespace

AppendResult UsageStore::Append(std::string project, BatchPointer batch) {
  // Shared with the callback, which may still be on its way out of set_value
  // when get returns.
  auto answer = std::make_shared<std::promise<AppendResult>>();
  std::future<AppendResult> result = answer->get_future();
  AppendAsync(std::move(project), std::move(batch), CallLimits(),
              [answer](AppendResult outcomes) {
                answer->set_value(std::move(outcomes));
              });
  return result.get();
}

absl::StatusOr<absl::Time> UsageStore::Horizon() { return NotForOperators(); }

absl::StatusOr<absl::Time> UsageStore::NewestRecordTime() {
  return NotForOperators();
}

absl::StatusOr<Removal> UsageStore::RemoveRecordsBefore(
    absl::Time /*horizon*/, const CallLimits& /*limits*/) {
  return NotForOperators();
}

absl::StatusOr<CheckReport> UsageStore::Check(const CheckOptions& /*options*/) {
  return NotForOperators();
}

absl::StatusOr<Rebuild> UsageStore::RebuildRollups(
    const CallLimits& /*limits*/) {
  return NotForOperators();
}

absl::StatusOr<Removal> UsageStore::DeleteProject(
    std::string_view /*project*/, const CallLimits& /*limits*/) {
  return NotForOperators();
}

}  // namespace tokenusage
