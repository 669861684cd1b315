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
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/page_token.h"
#include "tokenusage/service/request_checks.h"
#include "tokenusage/service/responses.h"

namespace tokenusage {
namespace {

// gRPC's retry mechanism waits this many milliseconds (gRFC A6).
constexpr char kPushbackTrailer[] = "grpc-retry-pushback-ms";

constexpr int kResponseBlockBytes = 1 << 16;

// A batch after the checks that need no store: which records go to the store,
// and where they stood in the request.
struct CheckedBatch {
  std::vector<CheckedRecord> records;
  std::vector<std::pair<int, std::string>> sources;  // index, record_id
  std::vector<v1::RecordError> errors;
};

CheckedBatch CheckRecords(const v1::ReportUsageRequest& request,
                          absl::Time receive_time) {
  CheckedBatch batch;
  batch.records.reserve(static_cast<std::size_t>(request.records_size()));
  batch.sources.reserve(static_cast<std::size_t>(request.records_size()));
  for (int i = 0; i < request.records_size(); ++i) {
    v1::RecordError error;
    auto checked = CheckRecord(request.records(i), receive_time, &error);
    if (checked) {
      batch.sources.emplace_back(i, checked->record().record_id());
      batch.records.push_back(*std::move(checked));
    } else {
      error.set_index(i);
      batch.errors.push_back(std::move(error));
    }
  }
  return batch;
}

// The answer's errors, of the checks and of the store, by rising index.
void FillResponse(const std::vector<std::pair<int, std::string>>& sources,
                  const std::vector<AppendOutcome>& outcomes,
                  std::vector<v1::RecordError> check_errors,
                  v1::ReportUsageResponse* response) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    AddOutcome(sources[i].first, sources[i].second, outcomes[i], response);
  }
  for (v1::RecordError& error : check_errors) {
    *response->add_errors() = std::move(error);
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
  v1::ReportUsageRequest request;
  v1::ReportUsageResponse response;
  absl::Status status = Admit(*options_.authorizer, Role::kReport, *context,
                              *raw_request, &request);
  if (status.ok()) status = CheckReportRequest(request);
  CheckedBatch batch;
  if (status.ok()) batch = CheckRecords(request, options_.now());
  if (batch.records.empty()) {
    FillResponse({}, {}, std::move(batch.errors), &response);
    if (status.ok()) options_.on_report(response);
    Finish(context, reactor, status, response, raw_response);
    return reactor;
  }
  store_->AppendAsync(
      request.project(), std::move(batch.records),
      [this, context, reactor, raw_response, sources = std::move(batch.sources),
       errors = std::move(batch.errors)](AppendResult outcomes) mutable {
        v1::ReportUsageResponse answer;
        if (outcomes.ok()) {
          FillResponse(sources, *outcomes, std::move(errors), &answer);
          options_.on_report(answer);
        }
        Finish(context, reactor, ForCaller(outcomes.status()), answer,
               raw_response);
      });
  return reactor;
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::QueryUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  return Read<v1::QueryUsageRequest, v1::QueryUsageResponse>(
      context, *raw_request, raw_response,
      [this](const v1::QueryUsageRequest& request, ReadLimits limits,
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
      [this](const v1::GetUsageRecordRequest& request, const ReadLimits&,
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
      [this](const v1::ListUsageRecordsRequest& request, ReadLimits limits,
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
  if (status.ok() && !readers_.TrySubmit([this, context, reactor, raw_response,
                                          request, limits = LimitsOf(*context),
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
  response.SerializeToZeroCopyStream(&writer);
  reactor->Finish(grpc::Status::OK);
}

ReadLimits UsageReportingServiceImpl::LimitsOf(
    const grpc::CallbackServerContext& context) const {
  // The real clock, not options_.now: deadlines are about elapsed time.
  ReadLimits limits;
  limits.deadline = absl::Now() + options_.max_read_time;
  const auto deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) {
    limits.deadline = std::min(limits.deadline, absl::FromChrono(deadline));
  }
  limits.is_cancelled = [&context] { return context.IsCancelled(); };
  return limits;
}

}  // namespace tokenusage
