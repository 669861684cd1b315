// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/request_checks.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/identity/caller.h"

namespace tokenusage {
namespace {

constexpr std::string_view kLabelPrefix = "labels.";

absl::Status Invalid(std::string_view reason, const std::string& field,
                     const std::string& expected, const std::string& found) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, reason,
      absl::StrCat(field, ": expected ", expected, ", found ", found),
      {{"field", field}, {"actual", found}});
}

std::string Quote(std::string_view text) { return "\"" + Excerpt(text) + "\""; }

// Returns the same hash for the same request in every process of this version.
template <typename Request>
std::uint64_t FingerprintOf(std::string_view method, Request request) {
  request.clear_page_size();
  request.clear_page_token();
  std::string bytes(method);
  {
    ::google::protobuf::io::StringOutputStream stream(&bytes);
    ::google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    // Fails only if a proto2 required field is missing; there are none.
    static_cast<void>(request.SerializeToCodedStream(&coded));
  }
  return Fingerprint(bytes);
}

absl::StatusOr<std::int64_t> CheckWindowEnd(
    const std::string& field, bool is_set,
    const ::google::protobuf::Timestamp& time) {
  const bool in_range =
      is_set && HasValidNanos(time) && time.seconds() >= kMinTimeSeconds &&
      (time.seconds() < kMaxTimeSeconds ||
       (time.seconds() == kMaxTimeSeconds && time.nanos() == 0));
  if (in_range) return NanosFromTimestamp(time);
  return Invalid("TIME_WINDOW_INVALID", field,
                 "a time from 2000-01-01T00:00:00Z to 2200-01-01T00:00:00Z",
                 is_set ? absl::StrCat(time.seconds(), " s and ", time.nanos(),
                                       " ns since 1970-01-01T00:00:00Z")
                        : "none");
}

template <typename Request>
absl::StatusOr<TimeWindow> CheckWindow(const Request& request) {
  TimeWindow window;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      window.start_nanos, CheckWindowEnd("start_time", request.has_start_time(),
                                         request.start_time()));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      window.end_nanos,
      CheckWindowEnd("end_time", request.has_end_time(), request.end_time()));
  if (window.start_nanos >= window.end_nanos) {
    return Invalid("TIME_WINDOW_INVALID", "end_time", "a time after start_time",
                   "one that is not");
  }
  return window;
}

absl::StatusOr<int> CheckPageSize(int page_size) {
  if (page_size < 0) {
    return Invalid("PAGE_SIZE_INVALID", "page_size",
                   absl::StrCat("0 to ", kMaxPageSize),
                   absl::StrCat(page_size));
  }
  return page_size == 0 ? kMaxPageSize : std::min(page_size, kMaxPageSize);
}

std::optional<UsageField> ParseField(std::string_view name) {
  if (name == "project") return UsageField{UsageField::Kind::kProject, ""};
  if (name == "operation") return UsageField{UsageField::Kind::kOperation, ""};
  if (name == "provider") return UsageField{UsageField::Kind::kProvider, ""};
  if (name == "model") return UsageField{UsageField::Kind::kModel, ""};
  if (name.substr(0, kLabelPrefix.size()) != kLabelPrefix) return std::nullopt;
  const std::string_view key = name.substr(kLabelPrefix.size());
  if (!IsLabelKey(key)) return std::nullopt;
  return UsageField{UsageField::Kind::kLabel, std::string(key)};
}

// Checks a field name of group_by or of a filter, which must not be in `seen`.
absl::StatusOr<UsageField> CheckField(std::string_view reason,
                                      const std::string& where,
                                      const std::string& name,
                                      std::set<std::string>* seen) {
  const std::optional<UsageField> field = ParseField(name);
  if (!field) {
    return Invalid(reason, where,
                   "project, operation, provider, model or labels.KEY with a "
                   "KEY of [a-z][a-z0-9_.-]{0,62}",
                   Quote(name));
  }
  if (!seen->insert(name).second) {
    return Invalid(reason, where, "each field once", Quote(name) + " again");
  }
  return *field;
}

absl::Status CheckGroupByCount(int count) {
  if (count <= kMaxGroupBy) return absl::OkStatus();
  return Invalid("GROUP_BY_INVALID", "group_by",
                 absl::StrCat("at most ", kMaxGroupBy, " fields"),
                 absl::StrCat(count));
}

absl::Status CheckFilterCount(int count) {
  if (count <= kMaxFilters) return absl::OkStatus();
  return Invalid("FILTER_INVALID", "filters",
                 absl::StrCat("at most ", kMaxFilters, " filters"),
                 absl::StrCat(count));
}

absl::StatusOr<std::vector<UsageField>> CheckGroupBy(
    const v1::QueryUsageRequest& request) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckGroupByCount(request.group_by_size()));
  std::vector<UsageField> fields;
  std::set<std::string> seen;
  for (const std::string& name : request.group_by()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        UsageField field,
        CheckField("GROUP_BY_INVALID",
                   absl::StrCat("group_by[", fields.size(), "]"), name, &seen));
    fields.push_back(std::move(field));
  }
  return fields;
}

absl::Status CheckFilterValues(const std::string& where,
                               const v1::UsageFilter& filter,
                               const UsageField& field) {
  const std::string values = where + ".values";
  if (filter.match_missing() && field.kind != UsageField::Kind::kLabel) {
    return Invalid("FILTER_INVALID", where + ".match_missing",
                   "it with labels only", "it with " + filter.field());
  }
  if (filter.values().empty() && !filter.match_missing()) {
    return Invalid("FILTER_INVALID", values, "at least one value", "none");
  }
  if (filter.values_size() > kMaxFilterValues) {
    return Invalid("FILTER_INVALID", values,
                   absl::StrCat("at most ", kMaxFilterValues, " values"),
                   absl::StrCat(filter.values_size()));
  }
  return absl::OkStatus();
}

// Adds the request's filters to a query.
template <typename Request, typename Query>
absl::Status CheckFilters(const Request& request, CheckedQuery<Query>* result) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckFilterCount(request.filters_size()));
  std::set<std::string> seen;
  for (const v1::UsageFilter& filter : request.filters()) {
    const std::string where = absl::StrCat("filters[", seen.size(), "]");
    TOKENUSAGE_ASSIGN_OR_RETURN(
        UsageField field,
        CheckField("FILTER_INVALID", where + ".field", filter.field(), &seen));
    TOKENUSAGE_RETURN_IF_ERROR(CheckFilterValues(where, filter, field));
    std::vector<std::string> values(filter.values().begin(),
                                    filter.values().end());
    if (field.kind == UsageField::Kind::kProject) {
      result->projects = std::move(values);
    } else {
      result->query.filters.push_back(
          {std::move(field), std::move(values), filter.match_missing()});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RowOrder>> CheckOrderBy(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name == "record_count") return RowOrder();
  const auto& measures = *v1::TokenUsage::descriptor();
  std::string expected = "record_count or a measure:";
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    const auto measure = static_cast<v1::UsageMeasure>(number);
    const std::string known(measures.FindFieldByNumber(number)->name());
    if (name == known) return RowOrder{measure};
    absl::StrAppend(&expected, number == 1 ? " " : ", ", known);
  }
  return Invalid("ORDER_BY_INVALID", "order_by", expected, Quote(name));
}

absl::StatusOr<absl::TimeZone> CheckTimeZone(const std::string& name,
                                             const TimeZones& time_zones) {
  const absl::TimeZone* zone = time_zones.Find(name);
  if (zone != nullptr) return *zone;
  return Invalid("TIME_ZONE_UNKNOWN", "time_zone",
                 absl::StrCat("empty, or one of the ", time_zones.size(),
                              " IANA names that this server knows, such "
                              "as Europe/Berlin"),
                 Quote(name));
}

absl::StatusOr<v1::TimeBucket> CheckBucket(v1::TimeBucket bucket) {
  if (!v1::TimeBucket_IsValid(bucket)) {
    return Invalid("BUCKET_INVALID", "bucket", "a value of TimeBucket",
                   absl::StrCat(static_cast<int>(bucket)));
  }
  return bucket == v1::TIME_BUCKET_UNSPECIFIED ? v1::TIME_BUCKET_NONE : bucket;
}

}  // namespace

absl::Status CheckProjectField(std::string_view project) {
  absl::Status status = CheckProject(project);
  if (status.ok()) return status;
  return ErrorWithInfo(status.code(), "PROJECT_INVALID",
                       FromAbsl(status.message()), {{"field", "project"}});
}

absl::Status CheckRecordCount(int count) {
  if (count <= kMaxRecordsPerRequest) return absl::OkStatus();
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "TOO_MANY_RECORDS",
      absl::StrCat("records: expected at most ", kMaxRecordsPerRequest,
                   ", found ", count, "; nothing was stored: split the batch"),
      {{"field", "records"},
       {"limit", absl::StrCat(kMaxRecordsPerRequest)},
       {"actual", absl::StrCat(count)}});
}

absl::Status RequestTooLargeError(std::size_t max_bytes, std::size_t found) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_TOO_LARGE",
      absl::StrCat("the request: expected at most ", max_bytes,
                   " bytes, found ", found, "; nothing was stored"),
      {{"limit", absl::StrCat(max_bytes)}, {"actual", absl::StrCat(found)}});
}

absl::Status NotBinaryError(const ::google::protobuf::Message& message) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
      absl::StrCat(
          "the request: expected a ", message.GetTypeName(),
          " in protobuf's binary encoding with text in UTF-8, found other "
          "bytes; nothing was stored"));
}

absl::Status CheckCounts(const RequestMessage& message,
                         const ::google::protobuf::Descriptor& type) {
  if (const auto* group_by = type.FindFieldByName("group_by")) {
    TOKENUSAGE_RETURN_IF_ERROR(
        CheckGroupByCount(message.CountElements(*group_by)));
  }
  if (const auto* filters = type.FindFieldByName("filters")) {
    return CheckFilterCount(message.CountElements(*filters));
  }
  return absl::OkStatus();
}

absl::Status CheckGetRequest(const v1::GetUsageRecordRequest& request) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckProjectField(request.project()));
  absl::Status status = CheckRecordId(request.record_id());
  if (status.ok()) return status;
  return ErrorWithInfo(status.code(), "RECORD_ID_INVALID",
                       FromAbsl(status.message()), {{"field", "record_id"}});
}

absl::StatusOr<CheckedQuery<UsageQuery>> CheckQueryRequest(
    const v1::QueryUsageRequest& request, const TimeZones& time_zones,
    const PageTokens& page_tokens) {
  CheckedQuery<UsageQuery> result;
  UsageQuery& query = result.query;
  const bool all_projects = request.project() == kAllProjects;
  if (!all_projects) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckProjectField(request.project()));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(query.window, CheckWindow(request));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.bucket, CheckBucket(request.bucket()));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.time_zone,
                              CheckTimeZone(request.time_zone(), time_zones));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.group_by, CheckGroupBy(request));
  TOKENUSAGE_RETURN_IF_ERROR(CheckFilters(request, &result));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.order, CheckOrderBy(request.order_by()));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.page_size,
                              CheckPageSize(request.page_size()));
  result.fingerprint = FingerprintOf("QueryUsage", request);
  if (!request.page_token().empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PagePosition last,
        page_tokens.Decode(request.page_token(), result.fingerprint,
                           query.window.start_nanos, query.window.end_nanos));
    query.after = RowPositionOf(last);
  }
  if (!all_projects && result.Passes(request.project())) {
    query.projects = {request.project()};
  }
  return result;
}

absl::StatusOr<CheckedQuery<RecordQuery>> CheckListRequest(
    const v1::ListUsageRecordsRequest& request, const PageTokens& page_tokens) {
  CheckedQuery<RecordQuery> result;
  RecordQuery& query = result.query;
  TOKENUSAGE_RETURN_IF_ERROR(CheckProjectField(request.project()));
  query.project = request.project();
  TOKENUSAGE_ASSIGN_OR_RETURN(query.window, CheckWindow(request));
  TOKENUSAGE_ASSIGN_OR_RETURN(query.page_size,
                              CheckPageSize(request.page_size()));
  query.inconsistent_only = request.inconsistent_only();
  TOKENUSAGE_RETURN_IF_ERROR(CheckFilters(request, &result));
  result.fingerprint = FingerprintOf("ListUsageRecords", request);
  if (!request.page_token().empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        PagePosition last,
        page_tokens.Decode(request.page_token(), result.fingerprint,
                           query.window.start_nanos, query.window.end_nanos));
    query.after =
        RecordPosition{last.last_time_nanos, std::move(last.last_key)};
  }
  return result;
}

absl::StatusOr<CheckedQuery<ProjectQuery>> CheckListProjectsRequest(
    const v1::ListProjectsRequest& request, const PageTokens& page_tokens) {
  CheckedQuery<ProjectQuery> result;
  TOKENUSAGE_ASSIGN_OR_RETURN(result.query.page_size,
                              CheckPageSize(request.page_size()));
  result.fingerprint = FingerprintOf("ListProjects", request);
  if (!request.page_token().empty()) {
    // Projects have no time: it is 0.
    TOKENUSAGE_ASSIGN_OR_RETURN(
        PagePosition last,
        page_tokens.Decode(request.page_token(), result.fingerprint, 0, 1));
    result.query.after = std::move(last.last_key);
  }
  return result;
}

}  // namespace tokenusage
