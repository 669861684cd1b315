#include "tokenusage/service/usage_reporting_service.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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

}  // namespace

UsageReportingServiceImpl::UsageReportingServiceImpl(
    UsageStore* store, UsageReportingServiceOptions options)
    : store_(store),
      options_(std::move(options)),
      readers_(options_.read_threads,
               static_cast<std::size_t>(options_.max_queued_reads)) {}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ReportUsage(
    grpc::CallbackServerContext* context, const v1::ReportUsageRequest* request,
    v1::ReportUsageResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status status = CheckReportRequest(*request);
  if (!status.ok()) {
    Finish(context, reactor, status);
    return reactor;
  }
  CheckedBatch batch = CheckRecords(*request, options_.now());
  if (batch.records.empty()) {
    FillResponse({}, {}, std::move(batch.errors), response);
    Finish(context, reactor, absl::OkStatus());
    return reactor;
  }
  store_->AppendAsync(
      request->project(), std::move(batch.records),
      [this, context, reactor, response, sources = std::move(batch.sources),
       errors = std::move(batch.errors)](AppendResult outcomes) mutable {
        if (outcomes.ok()) {
          FillResponse(sources, *outcomes, std::move(errors), response);
        }
        Finish(context, reactor, ForCaller(outcomes.status()));
      });
  return reactor;
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::QueryUsage(
    grpc::CallbackServerContext* context, const v1::QueryUsageRequest* request,
    v1::QueryUsageResponse* response) {
  return Read(context, [this, context, request, response]() -> absl::Status {
    TOKENUSAGE_ASSIGN_OR_RETURN(auto checked,
                                CheckQueryRequest(*request, time_zones_));
    checked.query.deadline = DeadlineOf(*context);
    const auto page = store_->Query(checked.query);
    if (!page.ok()) return ForCaller(page.status());
    for (const UsageQueryRow& row : page->rows) {
      *response->add_rows() = ToUsageRow(row, request->group_by());
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
    grpc::CallbackServerContext* context,
    const v1::GetUsageRecordRequest* request,
    v1::GetUsageRecordResponse* response) {
  return Read(context, [this, request, response]() -> absl::Status {
    TOKENUSAGE_RETURN_IF_ERROR(CheckGetRequest(*request));
    auto record = store_->GetRecord(request->project(), request->record_id());
    if (absl::IsNotFound(record.status())) {
      return ErrorWithInfo(
          absl::StatusCode::kNotFound, "RECORD_NOT_FOUND",
          absl::StrCat("record_id: project \"", request->project(),
                       "\" has no record with the id \"", request->record_id(),
                       "\""),
          {{"field", "record_id"}});
    }
    if (!record.ok()) return ForCaller(record.status());
    *response->mutable_record() = *std::move(record);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::ListUsageRecords(
    grpc::CallbackServerContext* context,
    const v1::ListUsageRecordsRequest* request,
    v1::ListUsageRecordsResponse* response) {
  return Read(context, [this, context, request, response]() -> absl::Status {
    TOKENUSAGE_ASSIGN_OR_RETURN(auto checked, CheckListRequest(*request));
    checked.query.deadline = DeadlineOf(*context);
    auto page = store_->ListRecords(checked.query);
    if (!page.ok()) return ForCaller(page.status());
    for (v1::UsageRecord& record : page->records) {
      *response->add_records() = std::move(record);
    }
    if (page->has_more) {
      const v1::UsageRecord& last =
          response->records(response->records_size() - 1);
      response->set_next_page_token(EncodePageToken(
          {checked.fingerprint,
           last.event_time().seconds() * std::int64_t{1'000'000'000} +
               last.event_time().nanos(),
           last.record_id()}));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* UsageReportingServiceImpl::Read(
    grpc::CallbackServerContext* context, std::function<absl::Status()> read) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool queued =
      readers_.TrySubmit([this, context, reactor, read = std::move(read)] {
        Finish(context, reactor, read());
      });
  if (!queued) {
    Finish(context, reactor,
           ForCaller(absl::ResourceExhaustedError("reads are queued up")));
  }
  return reactor;
}

absl::Status UsageReportingServiceImpl::ForCaller(
    const absl::Status& store_status) const {
  switch (store_status.code()) {
    case absl::StatusCode::kOk:
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
                           "the server's store is damaged; its operator must "
                           "act; the outcome of a report is unknown");
    default:
      options_.on_store_failure(store_status);
      return ErrorWithInfo(absl::StatusCode::kUnavailable, "STORE_FAILED",
                           "the server's store failed; the outcome of a report "
                           "is unknown: send the same request again later");
  }
}

void UsageReportingServiceImpl::Finish(grpc::CallbackServerContext* context,
                                       grpc::ServerUnaryReactor* reactor,
                                       const absl::Status& status) const {
  if (absl::IsResourceExhausted(status)) {
    context->AddTrailingMetadata(
        kPushbackTrailer,
        std::to_string(absl::ToInt64Milliseconds(options_.busy_pushback)));
  }
  reactor->Finish(ToGrpcStatus(status));
}

absl::Time UsageReportingServiceImpl::DeadlineOf(
    const grpc::CallbackServerContext& context) const {
  // The real clock, not options_.now: deadlines are about elapsed time.
  const absl::Time limit = absl::Now() + options_.max_read_time;
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return limit;
  return std::min(limit, absl::FromChrono(deadline));
}

}  // namespace tokenusage
