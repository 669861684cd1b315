// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_reporting_service.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/access.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/service/rpc/responses.h"
#include "tokenusage/service/rpc/store_errors.h"

namespace tokenusage {
namespace {

// Returns the project that a request to read is about.
template <typename Request>
std::string ProjectOf(const Request& request) {
  return request.project();
}

std::string ProjectOf(const v1::ListProjectsRequest&) {
  return std::string(kAllProjects);
}

// Identifies the caller, parses the request, and checks the caller's access.
template <typename Request>
absl::StatusOr<std::shared_ptr<const Caller>> AdmitRead(
    const UsageReportingServiceOptions& options, UnaryCall* call,
    Request* request) {
  const CallOrigin origin = call->origin();
  TOKENUSAGE_ASSIGN_OR_RETURN(auto caller, Identify(options, origin));
  RequestMessage* const message = call->request();
  TOKENUSAGE_RETURN_IF_ERROR(message->Unpack(kMaxReadRequestBytes));
  TOKENUSAGE_RETURN_IF_ERROR(CheckCounts(*message, *Request::descriptor()));
  TOKENUSAGE_RETURN_IF_ERROR(message->Parse(request));
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckAccess(options, origin, *caller, ProjectOf(*request), Role::kQuery));
  return caller;
}

// Estimates the memory that a request to read takes while it is queued: two
// bytes on the wire may become a std::string.
std::int64_t QueuedBytes(std::size_t request_bytes) {
  constexpr std::int64_t kPerCall = 16 << 10;
  constexpr std::int64_t kPerByte = 20;
  return kPerCall + kPerByte * static_cast<std::int64_t>(request_bytes);
}

}  // namespace

UsageReportingServiceImpl::UsageReportingServiceImpl(
    UsageStore* store, UsageReportingServiceOptions options)
    : store_(store),
      options_(std::move(options)),
      page_tokens_(store->page_token_key()),
      unwritten_(options_.limits.max_unwritten_bytes),
      reports_(store, options_),
      readers_(options_.limits.read_threads,
               {options_.limits.max_queued_reads,
                options_.limits.max_queued_read_bytes}) {}

UsageReportingServiceImpl::~UsageReportingServiceImpl() {
  reports_.AwaitReports();
}

UsageReportingServiceImpl::Method UsageReportingServiceImpl::FindMethod(
    std::string_view name) {
  using Service = UsageReportingServiceImpl;
  for (const auto& [known, method] :
       {std::pair<std::string_view, Method>("ReportUsage",
                                            &Service::ReportUsage),
        {"QueryUsage", &Service::QueryUsage},
        {"GetUsageRecord", &Service::GetUsageRecord},
        {"ListUsageRecords", &Service::ListUsageRecords},
        {"ListProjects", &Service::ListProjects}}) {
    if (name == known) return method;
  }
  return nullptr;
}

void UsageReportingServiceImpl::ReportUsage(UnaryCall* call) {
  std::shared_ptr<Report> report = reports_.Admit(call->request()->size());
  if (report == nullptr) return FinishWithError(call, BusyError());
  const absl::Status status =
      reports_
          .Parse<v1::ReportUsageRequest>(call->origin(), call->request(),
                                         report.get())
          .status();
  if (!status.ok()) return FinishWithError(call, status);
  if (!report->share.TryAssign(report->project)) {
    return FinishWithError(call, BusyError());
  }
  reports_.Append(report, call->limits(),
                  [this, call, report](
                      const absl::StatusOr<v1::ReportUsageResponse>& response) {
                    if (!response.ok()) {
                      return FinishWithError(call, response.status());
                    }
                    const auto bytes = call->Encode(*response);
                    if (!bytes.ok()) {
                      return FinishWithError(call, bytes.status());
                    }
                    report->HoldAnswer(*bytes);
                    call->Finish(report);
                  });
}

void UsageReportingServiceImpl::QueryUsage(UnaryCall* call) {
  Read<v1::QueryUsageRequest, v1::QueryUsageResponse>(
      call,
      [this](const v1::QueryUsageRequest& request, const Caller& caller,
             CallLimits limits,
             v1::QueryUsageResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            auto checked,
            CheckQueryRequest(request, time_zones_, page_tokens_));
        if (request.project() == kAllProjects) {
          TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<StoredProject> projects,
                                      ProjectsOf(caller, limits));
          for (const StoredProject& project : projects) {
            if (!checked.Passes(project.name)) continue;
            checked.query.projects.push_back(project.name);
          }
        }
        checked.query.limits = std::move(limits);
        const auto page = store_->Query(checked.query);
        if (!page.ok()) return OnStoreError(page.status());
        for (const UsageQueryRow& row : page->rows) {
          *response->add_rows() = ToUsageRow(row, request.group_by());
        }
        if (page->has_more) {
          const RowPosition last = PositionOf(checked.query, page->rows.back());
          response->set_next_page_token(page_tokens_.Encode(
              {checked.fingerprint, last.bucket_start_nanos, PageKeyOf(last)}));
        }
        return absl::OkStatus();
      });
}

void UsageReportingServiceImpl::GetUsageRecord(UnaryCall* call) {
  Read<v1::GetUsageRecordRequest, v1::GetUsageRecordResponse>(
      call,
      [this](const v1::GetUsageRecordRequest& request, const Caller&,
             const CallLimits&,
             v1::GetUsageRecordResponse* response) -> absl::Status {
        TOKENUSAGE_RETURN_IF_ERROR(CheckGetRequest(request));
        auto record = store_->GetRecord(request.project(), request.record_id());
        if (absl::IsNotFound(record.status())) {
          return ErrorWithInfo(
              absl::StatusCode::kNotFound, "RECORD_NOT_FOUND",
              absl::StrCat("record_id: project \"", request.project(),
                           "\" has no record with the id \"",
                           request.record_id(), "\""),
              {{"field", "record_id"}});
        }
        if (!record.ok()) return OnStoreError(record.status());
        SetInconsistencies(&*record);
        *response->mutable_record() = *std::move(record);
        return absl::OkStatus();
      });
}

void UsageReportingServiceImpl::ListUsageRecords(UnaryCall* call) {
  Read<v1::ListUsageRecordsRequest, v1::ListUsageRecordsResponse>(
      call,
      [this](const v1::ListUsageRecordsRequest& request, const Caller&,
             CallLimits limits,
             v1::ListUsageRecordsResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(auto checked,
                                    CheckListRequest(request, page_tokens_));
        if (!checked.Passes(request.project())) return absl::OkStatus();
        checked.query.limits = std::move(limits);
        auto page = store_->ListRecords(checked.query);
        if (!page.ok()) return OnStoreError(page.status());
        if (!AddRecords(*std::move(page), response)) {
          const v1::UsageRecord& last =
              response->records(response->records_size() - 1);
          response->set_next_page_token(page_tokens_.Encode(
              {checked.fingerprint, NanosFromTimestamp(last.event_time()),
               last.record_id()}));
        }
        return absl::OkStatus();
      });
}

void UsageReportingServiceImpl::ListProjects(UnaryCall* call) {
  Read<v1::ListProjectsRequest, v1::ListProjectsResponse>(
      call,
      [this](const v1::ListProjectsRequest& request, const Caller& caller,
             const CallLimits& limits,
             v1::ListProjectsResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const auto checked,
            CheckListProjectsRequest(request, page_tokens_));
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<StoredProject> projects,
                                    ProjectsOf(caller, limits));
        for (const StoredProject& project : projects) {
          if (project.name <= checked.query.after) continue;
          if (response->projects_size() == checked.query.page_size) {
            response->set_next_page_token(
                page_tokens_.Encode({checked.fingerprint, 0,
                                     response->projects().rbegin()->name()}));
            break;
          }
          *response->add_projects() = ToProject(project);
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<std::vector<StoredProject>>
UsageReportingServiceImpl::ProjectsOf(const Caller& caller,
                                      const CallLimits& limits) const {
  auto projects = store_->ListProjects(limits);
  if (!projects.ok()) return OnStoreError(projects.status());
  projects->erase(std::remove_if(projects->begin(), projects->end(),
                                 [&caller](const StoredProject& project) {
                                   return !caller.MayUse(project.name);
                                 }),
                  projects->end());
  return projects;
}

template <typename Request, typename Response, typename ReadFunction>
void UsageReportingServiceImpl::Read(UnaryCall* call, ReadFunction read) {
  auto request = std::make_shared<Request>();
  const auto caller = AdmitRead(options_, call, request.get());
  if (!caller.ok()) return FinishWithError(call, caller.status());
  auto job = [this, call, request, caller = *caller,
              limits = ReadLimitsOf(*call), read = std::move(read)] {
    Response response;
    absl::Status status = absl::CancelledError("the caller disconnected");
    if (!limits.is_cancelled()) {
      status = read(*request, *caller, limits, &response);
    }
    if (!status.ok()) return FinishWithError(call, status);
    FinishRead(call, ProjectOf(*request), response);
  };
  if (!readers_.TrySubmit({(*caller)->name, ProjectOf(*request)},
                          QueuedBytes(call->request()->size()),
                          std::move(job))) {
    FinishWithError(call, BusyError());
  }
}

void UsageReportingServiceImpl::FinishRead(
    UnaryCall* call, const std::string& project,
    const ::google::protobuf::Message& response) {
  constexpr std::int64_t kPerCall = 16 << 10;
  const auto bytes = call->Encode(response);
  if (!bytes.ok()) return FinishWithError(call, bytes.status());
  auto share = unwritten_.TryTake(kPerCall + static_cast<std::int64_t>(*bytes));
  if (!share || !share->TryAssign(project)) {
    return FinishWithError(call, BusyError());
  }
  call->Finish(std::make_shared<AdmissionBudget::Share>(*std::move(share)));
}

void UsageReportingServiceImpl::FinishWithError(
    UnaryCall* call, const absl::Status& status) const {
  absl::Duration pushback;
  if (absl::IsResourceExhausted(status)) {
    pushback = options_.limits.busy_pushback;
  } else if (absl::IsUnavailable(status)) {
    pushback = options_.limits.failure_pushback;
  }
  call->FinishWithError(status, pushback);
}

absl::Status UsageReportingServiceImpl::OnStoreError(
    const absl::Status& store_status) const {
  if (IsStoreFailure(store_status)) {
    options_.observer.on_store_failure(store_status);
  }
  return ErrorForReader(store_status, options_.limits.max_read_time);
}

CallLimits UsageReportingServiceImpl::ReadLimitsOf(
    const UnaryCall& call) const {
  // The real clock, not options_.now: deadlines are about elapsed time.
  CallLimits limits = call.limits();
  limits.deadline =
      std::min(limits.deadline, absl::Now() + options_.limits.max_read_time);
  return limits;
}

}  // namespace tokenusage
