// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_reporting_service.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/rpc/access.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/service/rpc/request_parsing.h"
#include "tokenusage/service/rpc/responses.h"
#include "tokenusage/service/rpc/store_errors.h"

namespace tokenusage {
namespace {

// gRPC's retry mechanism waits this many milliseconds (gRFC A6).
constexpr char kPushbackTrailer[] = "grpc-retry-pushback-ms";

// Checks what would make a small request a large message.
absl::Status CheckBeforeParsing(const grpc::ByteBuffer& bytes,
                                const ::google::protobuf::Message*) {
  return CheckReadSize(bytes.Length());
}

absl::Status CheckBeforeParsing(const grpc::ByteBuffer& bytes,
                                const v1::QueryUsageRequest*) {
  using Request = v1::QueryUsageRequest;
  TOKENUSAGE_RETURN_IF_ERROR(CheckReadSize(bytes.Length()));
  TOKENUSAGE_RETURN_IF_ERROR(
      CheckGroupByCount(CountFields(bytes, Request::kGroupByFieldNumber)));
  return CheckFilterCount(CountFields(bytes, Request::kFiltersFieldNumber));
}

absl::Status CheckBeforeParsing(const grpc::ByteBuffer& bytes,
                                const v1::ListUsageRecordsRequest*) {
  using Request = v1::ListUsageRecordsRequest;
  TOKENUSAGE_RETURN_IF_ERROR(CheckReadSize(bytes.Length()));
  return CheckFilterCount(CountFields(bytes, Request::kFiltersFieldNumber));
}

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
    const UsageReportingServiceOptions& options,
    const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes,
    Request* request) {
  TOKENUSAGE_ASSIGN_OR_RETURN(auto caller, Identify(options, context));
  TOKENUSAGE_RETURN_IF_ERROR(CheckBeforeParsing(bytes, request));
  TOKENUSAGE_RETURN_IF_ERROR(ParseRequest(bytes, request));
  TOKENUSAGE_RETURN_IF_ERROR(CheckAccess(options, context, *caller,
                                         ProjectOf(*request), Role::kQuery));
  return caller;
}

// What a request to read takes in memory while it is queued: a value of two
// bytes on the wire is a string.
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
      page_tokens_(options_.page_token_key),
      answer_deadlines_(options_.limits.max_answer_time),
      unwritten_(options_.limits.max_unwritten_bytes),
      reports_(store, options_),
      stream_worker_(1, {std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::max()}),
      readers_(options_.limits.read_threads,
               {options_.limits.max_queued_reads,
                options_.limits.max_queued_read_bytes}) {}

UsageReportingServiceImpl::~UsageReportingServiceImpl() {
  reports_.AwaitReports();
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ReportUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  auto* const call = new UnaryCall(context, &answer_deadlines_);
  std::shared_ptr<Report> report = reports_.Admit(raw_request->Length());
  absl::Status status;
  if (report != nullptr) {
    status =
        reports_
            .Parse<v1::ReportUsageRequest>(*context, *raw_request, report.get())
            .status();
  }
  if (report == nullptr ||
      (status.ok() && !report->share.TryAssign(report->project))) {
    status = BusyError();
  }
  if (!status.ok()) {
    FinishWithError(context, call, status);
    return call;
  }
  reports_.Append(report, LimitsOf(*context),
                  [this, context, call, raw_response, report](
                      const absl::StatusOr<v1::ReportUsageResponse>& response) {
                    if (!response.ok()) {
                      return FinishWithError(context, call, response.status());
                    }
                    *raw_response = ToByteBuffer(*response);
                    report->HoldAnswer(raw_response->Length());
                    call->FinishHolding(grpc::Status::OK, report);
                  });
  return call;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
UsageReportingServiceImpl::StreamUsage(grpc::CallbackServerContext* context) {
  UsageStream::Parts parts;
  parts.handler = &reports_;
  parts.answer_deadlines = &answer_deadlines_;
  parts.limits = &options_.limits;
  parts.run_later = [this](std::function<void()> job) {
    stream_worker_.TrySubmit("", 0, std::move(job));
  };
  parts.on_done = [this](UsageStream* stream) {
    const std::lock_guard<std::mutex> lock(streams_mutex_);
    streams_.erase(stream);
    streams_changed_.notify_all();
  };
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  auto* stream = new UsageStream(context, std::move(parts));
  streams_.insert(stream);
  if (draining_) stream->Drain();
  return stream;
}

void UsageReportingServiceImpl::BeginDrain() {
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  draining_ = true;
  for (UsageStream* stream : streams_) stream->Drain();
}

void UsageReportingServiceImpl::AwaitStreams(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(streams_mutex_);
  if (streams_.empty()) return;
  streams_changed_.wait_until(lock, absl::ToChronoTime(deadline),
                              [this] { return streams_.empty(); });
  lock.unlock();
  // A connection that is closed while its caller still sends is reset, and
  // unread answers are lost: give the caller time to read why its stream ended.
  constexpr absl::Duration kLinger = absl::Milliseconds(200);
  absl::SleepFor(
      std::clamp(deadline - absl::Now(), absl::ZeroDuration(), kLinger));
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::QueryUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::QueryUsageRequest, v1::QueryUsageResponse>(
      context, *raw_request, raw_response,
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

grpc::ServerUnaryReactor* UsageReportingServiceImpl::GetUsageRecord(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::GetUsageRecordRequest, v1::GetUsageRecordResponse>(
      context, *raw_request, raw_response,
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

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ListUsageRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::ListUsageRecordsRequest, v1::ListUsageRecordsResponse>(
      context, *raw_request, raw_response,
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

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ListProjects(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::ListProjectsRequest, v1::ListProjectsResponse>(
      context, *raw_request, raw_response,
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
grpc::ServerUnaryReactor* UsageReportingServiceImpl::Read(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer& raw_request,
    grpc::ByteBuffer* raw_response, ReadFunction read) {
  auto* const call = new UnaryCall(context, &answer_deadlines_);
  auto request = std::make_shared<Request>();
  const auto caller = AdmitRead(options_, *context, raw_request, request.get());
  if (!caller.ok()) {
    FinishWithError(context, call, caller.status());
    return call;
  }
  auto job = [this, context, call, raw_response, request, caller = *caller,
              limits = ReadLimitsOf(*context), read = std::move(read)] {
    Response response;
    absl::Status status = absl::CancelledError("the caller disconnected");
    if (!limits.is_cancelled()) {
      status = read(*request, *caller, limits, &response);
    }
    if (!status.ok()) return FinishWithError(context, call, status);
    FinishRead(context, call, ProjectOf(*request), response, raw_response);
  };
  if (!readers_.TrySubmit(
          absl::StrCat(ProjectOf(*request), "\n", (*caller)->name),
          QueuedBytes(raw_request.Length()), std::move(job))) {
    FinishWithError(context, call, BusyError());
  }
  return call;
}

void UsageReportingServiceImpl::FinishRead(
    grpc::CallbackServerContext* context, UnaryCall* call,
    const std::string& project, const ::google::protobuf::Message& response,
    grpc::ByteBuffer* raw_response) {
  constexpr std::int64_t kPerCall = 16 << 10;
  auto share = unwritten_.TryTake(
      kPerCall + static_cast<std::int64_t>(response.ByteSizeLong()));
  if (!share || !share->TryAssign(project)) {
    return FinishWithError(context, call, BusyError());
  }
  *raw_response = ToByteBuffer(response);
  call->FinishHolding(
      grpc::Status::OK,
      std::make_shared<AdmissionBudget::Share>(*std::move(share)));
}

void UsageReportingServiceImpl::FinishWithError(
    grpc::CallbackServerContext* context, UnaryCall* call,
    const absl::Status& status) const {
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) {
    const absl::Duration pushback = absl::IsUnavailable(status)
                                        ? options_.limits.failure_pushback
                                        : options_.limits.busy_pushback;
    context->AddTrailingMetadata(
        kPushbackTrailer, std::to_string(absl::ToInt64Milliseconds(pushback)));
  }
  call->Finish(ToGrpcStatus(status));
}

absl::Status UsageReportingServiceImpl::OnStoreError(
    const absl::Status& store_status) const {
  if (IsStoreFailure(store_status)) {
    options_.observer.on_store_failure(store_status);
  }
  return ErrorForReader(store_status, options_.limits.max_read_time);
}

CallLimits UsageReportingServiceImpl::ReadLimitsOf(
    const grpc::CallbackServerContext& context) const {
  // The real clock, not options_.now: deadlines are about elapsed time.
  CallLimits limits = LimitsOf(context);
  limits.deadline =
      std::min(limits.deadline, absl::Now() + options_.limits.max_read_time);
  return limits;
}

}  // namespace tokenusage
