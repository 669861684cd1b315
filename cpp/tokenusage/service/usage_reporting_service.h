// SPDX-License-Identifier: Apache-2.0

// The methods of tokenusage.v1.UsageReportingService over a UsageStore, for any
// transport.
//
//   std::unique_ptr<UsageStore> store = NewMemoryStore();
//   UsageReportingServiceImpl service(store.get());
//   service.QueryUsage(call);
//
// Each method checks the request, calls the store, and converts the store's
// answer to a response message. UsageServer, in usage_server.h, is a whole
// server around the service.

#ifndef TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
#define TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/report_handler.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/service/server/admission_budget.h"
#include "tokenusage/service/server/time_zones.h"
#include "tokenusage/service/server/worker_pool.h"
#include "tokenusage/service/usage_reporting_options.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Thread-safe. No method blocks: appends are answered by the store's thread,
// reads run on the worker pool.
class UsageReportingServiceImpl {
 public:
  // `store` must outlive the service, and the service every call.
  explicit UsageReportingServiceImpl(UsageStore* store,
                                     UsageReportingServiceOptions options = {});

  ~UsageReportingServiceImpl();

  // The methods finish the call, perhaps later and on another thread.
  void ReportUsage(UnaryCall* call);
  void QueryUsage(UnaryCall* call);
  void GetUsageRecord(UnaryCall* call);
  void ListUsageRecords(UnaryCall* call);
  void ListProjects(UnaryCall* call);

  // Returns the unary method with this name; null if there is none.
  using Method = void (UsageReportingServiceImpl::*)(UnaryCall*);
  static Method FindMethod(std::string_view name);

  // Returns the handler of reports, for messages of streams.
  ReportHandler* reports() { return &reports_; }

  const UsageReportingServiceOptions& options() const { return options_; }

 private:
  // Parses and authorises the request, runs `read` on the worker pool, within
  // limits that start now, and finishes the call with its answer. `read` takes
  // the request, the caller, the limits and the response, and returns a status.
  template <typename Request, typename Response, typename ReadFunction>
  void Read(UnaryCall* call, ReadFunction read);

  // Finishes a read with `response`, or with SERVER_BUSY if too many bytes of
  // answers, of the project or of all, wait for callers to read them.
  void FinishRead(UnaryCall* call, const std::string& project,
                  const ::google::protobuf::Message& response);

  // Finishes a call with an error, with a pushback if the server is busy or the
  // store failed.
  void FinishWithError(UnaryCall* call, const absl::Status& status) const;

  // Returns the projects that the caller may use, ordered by name.
  absl::StatusOr<std::vector<StoredProject>> ProjectsOf(
      const Caller& caller, const CallLimits& limits) const;

  // Tells the observer of a store failure; returns the error for the caller.
  absl::Status OnStoreError(const absl::Status& store_status) const;

  // Returns the earlier of the caller's deadline and the server's own.
  CallLimits ReadLimitsOf(const UnaryCall& call) const;

  UsageStore* const store_;
  const UsageReportingServiceOptions options_;
  const TimeZones time_zones_ = TimeZones::FromSystem();
  const PageTokens page_tokens_;
  AdmissionBudget unwritten_;  // answers to reads
  ReportHandler reports_;

  WorkerPool readers_;  // last: its jobs use the members above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_REPORTING_SERVICE_H_
