// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/report_handler.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "tokenusage/service/rpc/responses.h"
#include "tokenusage/service/rpc/store_errors.h"

namespace tokenusage {
namespace {

// Estimates the memory of a request before it is parsed: its bytes, the
// message, which is several times as large, and gRPC's state of the call.
std::int64_t ExpectedMemory(std::size_t request_bytes) {
  constexpr std::int64_t kPerCall = 4096;
  return kPerCall + 4 * static_cast<std::int64_t>(request_bytes);
}

// Makes the answer: its errors, from the checks and the store, by rising index.
v1::ReportUsageResponse ResponseOf(const CheckedBatch& batch,
                                   const std::vector<AppendOutcome>& outcomes) {
  v1::ReportUsageResponse response;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    AddOutcome(batch[i], outcomes[i], &response);
  }
  if (batch.errors().empty()) return response;
  for (const v1::RecordError& error : batch.errors()) {
    *response.add_errors() = error;
  }
  std::sort(response.mutable_errors()->begin(),
            response.mutable_errors()->end(),
            [](const v1::RecordError& a, const v1::RecordError& b) {
              return a.index() < b.index();
            });
  return response;
}

}  // namespace

std::shared_ptr<Report> ReportHandler::Admit(std::size_t request_bytes,
                                             std::function<void()> retry) {
  std::optional<AdmissionBudget::Share> share =
      budget_.TryTake(ExpectedMemory(request_bytes), std::move(retry));
  if (!share) return nullptr;
  return std::make_shared<Report>(*std::move(share), request_bytes);
}

void ReportHandler::Append(std::shared_ptr<Report> report, CallLimits limits,
                           ResponseCallback done) {
  const CheckedBatch& batch = report->batch;
  if (batch.empty()) {
    v1::ReportUsageResponse response = ResponseOf(batch, {});
    options_.observer.on_report(response);
    return done(std::move(response));
  }
  const std::string& project = report->project;
  std::shared_ptr<const CheckedBatch> pointer(report, &batch);
  store_.AppendAsync(
      project, std::move(pointer), std::move(limits),
      [this, report = std::move(report),
       done = std::move(done)](AppendResult outcomes) {
        if (!outcomes.ok()) {
          if (IsStoreFailure(outcomes.status())) {
            options_.observer.on_store_failure(outcomes.status());
          }
          return done(ErrorForReporter(outcomes.status()));
        }
        for (std::size_t i = 0; i < outcomes->size(); ++i) {
          if ((*outcomes)[i] != AppendOutcome::kStored) continue;
          options_.observer.on_stored(report->batch[i]);
        }
        v1::ReportUsageResponse response = ResponseOf(report->batch, *outcomes);
        options_.observer.on_report(response);
        done(std::move(response));
      });
}

}  // namespace tokenusage
