#include "tokenusage/service/usage_reporting_service.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/page_token.h"
#include "tokenusage/service/request_checks.h"
#include "tokenusage/service/responses.h"
#include "tokenusage/store/query_plan.h"

namespace tokenusage {
namespace {

// gRPC's retry mechanism waits this many milliseconds (gRFC A6).
constexpr char kPushbackTrailer[] = "grpc-retry-pushback-ms";

constexpr int kResponseBlockBytes = 1 << 16;

// The answer's errors, of the checks and of the store, by rising index.
void FillResponse(const CheckedBatch& batch,
                  const std::vector<AppendOutcome>& outcomes,
                  v1::ReportUsageResponse* response) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    AddOutcome(batch[i], outcomes[i], response);
  }
  if (batch.errors().empty()) return;
  for (const v1::RecordError& error : batch.errors()) {
    *response->add_errors() = error;
  }
  std::sort(response->mutable_errors()->begin(),
            response->mutable_errors()->end(),
            [](const v1::RecordError& a, const v1::RecordError& b) {
              return a.index() < b.index();
            });
}

absl::Status ParseRequest(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message* request) {
  // Reading consumes the buffer: a copy shares its slices.
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && request->ParseFromZeroCopyStream(&reader)) {
    return absl::OkStatus();
  }
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
      absl::StrCat("the request: expected a ", request->GetTypeName(),
                   " in protobuf's binary form with text in UTF-8, found other "
                   "bytes; nothing was stored"));
}

// Who calls, what they ask for, and whether they may.
template <typename Request>
absl::Status Admit(const Authorizer& authorizer, Role role,
                   const grpc::CallbackServerContext& context,
                   const grpc::ByteBuffer& bytes, Request* request) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto caller, authorizer.Identify(context));
  TOKENUSAGE_RETURN_IF_ERROR(ParseRequest(bytes, request));
  return caller->CheckAccess(request->project(), role);
}

}  // namespace

UsageReportingServiceImpl::UsageReportingServiceImpl(
    UsageStore* store, UsageReportingServiceOptions options)
    : store_(store),
      options_(std::move(options)),
      readers_(options_.read_threads,
               static_cast<std::size_t>(options_.max_queued_reads)) {}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ReportUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto batch = std::make_shared<CheckedBatch>(raw_request->Length());
  const absl::StatusOr<std::string> project =
      ParseReport(*context, *raw_request, batch.get());
  if (!project.ok() || batch->empty()) {
    v1::ReportUsageResponse response;
    FillResponse(*batch, {}, &response);
    if (project.ok()) options_.on_report(response);
    Finish(context, reactor, project.status(), response, raw_response);
    return reactor;
  }
  store_->AppendAsync(
      *project, batch, AppendLimitsOf(*context),
      [this, context, reactor, raw_response, batch](AppendResult outcomes) {
        v1::ReportUsageResponse response;
        if (outcomes.ok()) {
          FillResponse(*batch, *outcomes, &response);
          options_.on_report(response);
        }
        Finish(context, reactor, ForReporter(outcomes.status()), response,
               raw_response);
      });
  return reactor;
}

absl::StatusOr<std::string> UsageReportingServiceImpl::ParseReport(
    const grpc::CallbackServerContext& context,
    const grpc::ByteBuffer& raw_request, CheckedBatch* batch) const {
  auto* request =
      v1::ReportUsageRequest::default_instance().New(batch->arena());
  TOKENUSAGE_RETURN_IF_ERROR(Admit(*options_.authorizer, Role::kReport, context,
                                   raw_request, request));
  TOKENUSAGE_RETURN_IF_ERROR(CheckReportRequest(
      request->project(), request->records_size(), raw_request.Length()));
  batch->Check(request->mutable_records(), options_.now());
  return request->project();
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::QueryUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::QueryUsageRequest, v1::QueryUsageResponse>(
      context, *raw_request, raw_response,
      [this](const v1::QueryUsageRequest& request, CallLimits limits,
             v1::QueryUsageResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(auto checked,
                                    CheckQueryRequest(request, time_zones_));
        checked.query.limits = std::move(limits);
        const auto page = store_->Query(checked.query);
        if (!page.ok()) return ForCaller(page.status());
        for (const UsageQueryRow& row : page->rows) {
          *response->add_rows() = ToUsageRow(row, request.group_by());
        }
        if (page->has_more) {
          const UsageQueryRow& last = page->rows.back();
          response->set_next_page_token(
              EncodePageToken({checked.fingerprint, last.bucket.start_nanos,
                               EncodeGroupKey(last.key)}));
        }
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::GetUsageRecord(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::GetUsageRecordRequest, v1::GetUsageRecordResponse>(
      context, *raw_request, raw_response,
      [this](const v1::GetUsageRecordRequest& request, const CallLimits&,
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
        if (!record.ok()) return ForCaller(record.status());
        *response->mutable_record() = *std::move(record);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ListUsageRecords(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::ListUsageRecordsRequest, v1::ListUsageRecordsResponse>(
      context, *raw_request, raw_response,
      [this](const v1::ListUsageRecordsRequest& request, CallLimits limits,
             v1::ListUsageRecordsResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(auto checked, CheckListRequest(request));
        checked.query.limits = std::move(limits);
        auto page = store_->ListRecords(checked.query);
        if (!page.ok()) return ForCaller(page.status());
        for (v1::UsageRecord& record : page->records) {
          *response->add_records() = std::move(record);
        }
        if (page->has_more) {
          const v1::UsageRecord& last =
              response->records(response->records_size() - 1);
          response->set_next_page_token(EncodePageToken(
              {checked.fingerprint, NanosFromTimestamp(last.event_time()),
               last.record_id()}));
        }
        return absl::OkStatus();
      });
}

template <typename Request, typename Response, typename ReadFunction>
grpc::ServerUnaryReactor* UsageReportingServiceImpl::Read(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer& raw_request,
    grpc::ByteBuffer* raw_response, ReadFunction read) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto request = std::make_shared<Request>();
  absl::Status status = Admit(*options_.authorizer, Role::kQuery, *context,
                              raw_request, request.get());
  if (status.ok() &&
      !readers_.TrySubmit([this, context, reactor, raw_response, request,
                           limits = ReadLimitsOf(*context),
                           read = std::move(read)] {
        Response response;
        absl::Status result = absl::CancelledError("the caller has gone");
        if (!limits.is_cancelled()) result = read(*request, limits, &response);
        Finish(context, reactor, result, response, raw_response);
      })) {
    status = ForCaller(absl::ResourceExhaustedError("reads are queued up"));
  }
  if (!status.ok()) Finish(context, reactor, status, Response(), raw_response);
  return reactor;
}

absl::Status UsageReportingServiceImpl::ForReporter(
    const absl::Status& store_status) const {
  if (!absl::IsDeadlineExceeded(store_status)) return ForCaller(store_status);
  return ErrorWithInfo(
      store_status.code(), "REPORT_TIMED_OUT",
      "the call's deadline passed before the batch was stored; "
      "nothing of it was: send it again");
}

absl::Status UsageReportingServiceImpl::ForCaller(
    const absl::Status& store_status) const {
  switch (store_status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
      return store_status;
    case absl::StatusCode::kResourceExhausted:
      return ErrorWithInfo(store_status.code(), "SERVER_BUSY",
                           "the server is busy and did nothing: send the same "
                           "request again after the pushback time");
    case absl::StatusCode::kDeadlineExceeded:
      return ErrorWithInfo(
          store_status.code(), "QUERY_TIMED_OUT",
          absl::StrCat("the answer took longer than the call's deadline or the "
                       "server's limit of ",
                       absl::ToInt64Seconds(options_.max_read_time),
                       " seconds: ask for a shorter window"));
    case absl::StatusCode::kFailedPrecondition:
      return ErrorWithInfo(store_status.code(), "WINDOW_BEFORE_HORIZON",
                           FromAbsl(store_status.message()),
                           {{"horizon", HorizonOf(store_status)}});
    case absl::StatusCode::kDataLoss:
      options_.on_store_failure(store_status);
      return ErrorWithInfo(store_status.code(), "STORE_DAMAGED",
                           "the server's store is damaged, and its operator "
                           "must act; where records were reported, it is "
                           "unknown whether they are stored");
    default:
      options_.on_store_failure(store_status);
      return ErrorWithInfo(absl::StatusCode::kUnavailable, "STORE_FAILED",
                           "the server's store failed: send the same request "
                           "again later; records are counted once");
  }
}

void UsageReportingServiceImpl::Finish(
    grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
    const absl::Status& status, const google::protobuf::Message& response,
    grpc::ByteBuffer* raw_response) const {
  if (absl::IsResourceExhausted(status)) {
    context->AddTrailingMetadata(
        kPushbackTrailer,
        std::to_string(absl::ToInt64Milliseconds(options_.busy_pushback)));
  }
  if (!status.ok()) {
    reactor->Finish(ToGrpcStatus(status));
    return;
  }
  grpc::ProtoBufferWriter writer(raw_response, kResponseBlockBytes,
                                 static_cast<int>(response.ByteSizeLong()));
  const bool written = response.SerializeToZeroCopyStream(&writer);
  reactor->Finish(written ? grpc::Status::OK
                          : grpc::Status(grpc::StatusCode::INTERNAL,
                                         "the response: too large to write"));
}

CallLimits UsageReportingServiceImpl::AppendLimitsOf(
    const grpc::CallbackServerContext& context) {
  CallLimits limits;
  const auto deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) {
    limits.deadline = absl::FromChrono(deadline);
  }
  limits.is_cancelled = [&context] { return context.IsCancelled(); };
  return limits;
}

CallLimits UsageReportingServiceImpl::ReadLimitsOf(
    const grpc::CallbackServerContext& context) const {
  // The real clock, not options_.now: deadlines are about elapsed time.
  CallLimits limits = AppendLimitsOf(context);
  limits.deadline =
      std::min(limits.deadline, absl::Now() + options_.max_read_time);
  return limits;
}

}  // namespace tokenusage
