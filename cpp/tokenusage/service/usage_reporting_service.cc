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
#include "tokenusage/service/error_info.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/service/rpc/request_parsing.h"
#include "tokenusage/service/rpc/responses.h"
#include "tokenusage/service/rpc/store_errors.h"

namespace tokenusage {
namespace {

// gRPC's retry mechanism waits this many milliseconds (gRFC A6).
constexpr char kPushbackTrailer[] = "grpc-retry-pushback-ms";

// Identifies the caller, parses the request, and checks the caller's access.
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
      reports_(store, options_),
      stream_worker_(1, std::numeric_limits<std::size_t>::max()),
      readers_(options_.limits.read_threads,
               static_cast<std::size_t>(options_.limits.max_queued_reads)) {}

UsageReportingServiceImpl::~UsageReportingServiceImpl() {
  reports_.AwaitReports();
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ReportUsage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* raw_request,
    grpc::ByteBuffer* raw_response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
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
    Finish(context, reactor, status, v1::ReportUsageResponse(), raw_response);
    return reactor;
  }
  reports_.Append(
      std::move(report), LimitsOf(*context),
      [this, context, reactor,
       raw_response](const absl::StatusOr<v1::ReportUsageResponse>& response) {
        Finish(context, reactor, response.status(),
               response.ok() ? *response : v1::ReportUsageResponse(),
               raw_response);
      });
  return reactor;
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
UsageReportingServiceImpl::StreamUsage(grpc::CallbackServerContext* context) {
  UsageStream::Parts parts;
  parts.handler = &reports_;
  parts.limits = &options_.limits;
  parts.run_later = [this](std::function<void()> job) {
    stream_worker_.TrySubmit(std::move(job));
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
      [this](const v1::QueryUsageRequest& request, CallLimits limits,
             v1::QueryUsageResponse* response) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(auto checked,
                                    CheckQueryRequest(request, time_zones_));
        checked.query.limits = std::move(limits);
        const auto page = store_->Query(checked.query);
        if (!page.ok()) return OnStoreError(page.status());
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
        if (!record.ok()) return OnStoreError(record.status());
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
        if (!page.ok()) return OnStoreError(page.status());
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
        absl::Status result = absl::CancelledError("the caller disconnected");
        if (!limits.is_cancelled()) result = read(*request, limits, &response);
        Finish(context, reactor, result, response, raw_response);
      })) {
    status = BusyError();
  }
  if (!status.ok()) Finish(context, reactor, status, Response(), raw_response);
  return reactor;
}

void UsageReportingServiceImpl::Finish(
    grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
    const absl::Status& status, const google::protobuf::Message& response,
    grpc::ByteBuffer* raw_response) const {
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) {
    const absl::Duration pushback = absl::IsUnavailable(status)
                                        ? options_.limits.failure_pushback
                                        : options_.limits.busy_pushback;
    context->AddTrailingMetadata(
        kPushbackTrailer, std::to_string(absl::ToInt64Milliseconds(pushback)));
  }
  if (!status.ok()) {
    reactor->Finish(ToGrpcStatus(status));
    return;
  }
  *raw_response = ToByteBuffer(response);
  reactor->Finish(grpc::Status::OK);
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
