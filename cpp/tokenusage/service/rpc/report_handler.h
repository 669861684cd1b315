// SPDX-License-Identifier: Apache-2.0

// A batch on its way from a request to its answer, for ReportUsage and
// StreamUsage alike.
//
//   std::shared_ptr<Report> report = handler.Admit(message->size());
//   if (report == nullptr) return BusyError();
//   auto request = handler.Parse<v1::ReportUsageRequest>(origin, message,
//                                                        report.get());
//   if (!request.ok()) return request.status();
//   if (!report->share.TryAssign(report->project)) return BusyError();
//   handler.Append(report, limits, [](auto response) { Answer(response); });

#ifndef TOKENUSAGE_SERVICE_RPC_REPORT_HANDLER_H_
#define TOKENUSAGE_SERVICE_RPC_REPORT_HANDLER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/rpc/access.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/service/server/admission_budget.h"
#include "tokenusage/service/usage_reporting_options.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// A batch, its project, and its share of the budget.
struct Report {
  Report(AdmissionBudget::Share share_of_budget, std::size_t request_bytes)
      : share(std::move(share_of_budget)), batch(request_bytes) {}

  // Counts the answer's bytes, too, until the report is destroyed.
  void HoldAnswer(std::size_t bytes) {
    share.GrowTo(batch.memory_bytes() + static_cast<std::int64_t>(bytes));
  }

  AdmissionBudget::Share share;
  CheckedBatch batch;
  std::string project;
};

// Thread-safe.
class ReportHandler {
 public:
  using ResponseCallback =
      std::function<void(absl::StatusOr<v1::ReportUsageResponse>)>;

  // Both must outlive the handler.
  ReportHandler(UsageStore* store, const UsageReportingServiceOptions& options)
      : store_(*store),
        options_(options),
        budget_(options.limits.max_admitted_bytes) {}

  // Takes a share of the budget for a request of `request_bytes`; null if too
  // little is free. In that case `retry`, if set, is called once it is worth
  // another try: see AdmissionBudget.
  std::shared_ptr<Report> Admit(std::size_t request_bytes,
                                std::function<void()> retry = nullptr);

  // Parses a request that has `project` and `records`, and checks the caller's
  // access and the records, all in the report's memory. Returns the request,
  // which lives in the report. The status is for the caller.
  template <typename Request>
  absl::StatusOr<const Request*> Parse(const CallOrigin& origin,
                                       RequestMessage* message,
                                       Report* report) const;

  // Stores the records, if any, and calls `done` with the answer, possibly
  // before this returns, from any thread. The status is for the caller.
  void Append(std::shared_ptr<Report> report, CallLimits limits,
              ResponseCallback done);

  // Waits until every report is destroyed. The store releases the last ones a
  // moment after their callers have been answered.
  void AwaitReports() { budget_.AwaitReturn(); }

 private:
  UsageStore& store_;
  const UsageReportingServiceOptions& options_;
  AdmissionBudget budget_;
};

template <typename Request>
absl::StatusOr<const Request*> ReportHandler::Parse(const CallOrigin& origin,
                                                    RequestMessage* message,
                                                    Report* report) const {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto caller, Identify(options_, origin));
  TOKENUSAGE_RETURN_IF_ERROR(message->Unpack(kMaxReportRequestBytes));
  static const auto* const records =
      Request::descriptor()->FindFieldByNumber(Request::kRecordsFieldNumber);
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckRecordCount(message->CountElements(*records)));
  CheckedBatch& batch = report->batch;
  auto* request = Request::default_instance().New(batch.arena());
  TOKENUSAGE_RETURN_IF_ERROR(message->Parse(request));
  TOKENUSAGE_RETURN_IF_ERROR(CheckRecordCount(request->records_size()));
  TOKENUSAGE_RETURN_IF_ERROR(CheckProjectField(request->project()));
  TOKENUSAGE_RETURN_IF_ERROR(CheckAccess(options_, origin, *caller,
                                         request->project(), Role::kReport));
  report->project = request->project();
  batch.Check(request->mutable_records(), options_.now());
  report->share.GrowTo(batch.memory_bytes());
  return request;
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_REPORT_HANDLER_H_
