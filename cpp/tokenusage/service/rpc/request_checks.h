// SPDX-License-Identifier: Apache-2.0

// Checks requests, and converts those of the read methods to queries for a
// store.
//
//   auto checked = CheckQueryRequest(request, time_zones, page_tokens);
//   if (!checked.ok()) return checked.status();
//   auto page = store->Query(checked->query);
//
// Every error is INVALID_ARGUMENT with an ErrorInfo whose reason is one of
// those in usage_reporting_service.proto, and a message that names the field,
// what was expected and what was found. All functions are thread-safe.

#ifndef TOKENUSAGE_SERVICE_RPC_REQUEST_CHECKS_H_
#define TOKENUSAGE_SERVICE_RPC_REQUEST_CHECKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/service/server/time_zones.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Limits, from usage_reporting_service.proto.
inline constexpr int kMaxRecordsPerRequest = 1000;
inline constexpr std::size_t kMaxReportRequestBytes = 1 << 20;
inline constexpr std::size_t kMaxReadRequestBytes = 512 << 10;
inline constexpr int kMaxPageSize = 1000;
inline constexpr int kMaxGroupBy = 4;
inline constexpr int kMaxFilters = 16;
inline constexpr int kMaxFilterValues = 100;

// A query for a store, and the hash that its page tokens are bound to.
template <typename Query>
struct CheckedQuery {
  Query query;
  std::uint64_t fingerprint = 0;

  // The projects that pass the request's filters; nullopt if all do. The store
  // does not know such a filter.
  std::optional<std::vector<std::string>> projects;

  bool Passes(const std::string& project) const {
    return !projects || std::find(projects->begin(), projects->end(),
                                  project) != projects->end();
  }
};

// A page of projects: those after `after`.
struct ProjectQuery {
  int page_size = kMaxPageSize;
  std::string after;
};

// Checks a project's name: PROJECT_INVALID.
absl::Status CheckProjectField(std::string_view project);

// Checks the number of records: TOO_MANY_RECORDS.
absl::Status CheckRecordCount(int count);

// Returns REQUEST_TOO_LARGE for a request of at least `found` bytes, whose
// limit is `max_bytes` in the same encoding.
absl::Status RequestTooLargeError(std::size_t max_bytes, std::size_t found);

// Returns REQUEST_MALFORMED for bytes that are not a message of this type.
absl::Status NotBinaryError(const ::google::protobuf::Message& message);

// Checks the number of fields to group by and of filters that a message of this
// type has, before it is parsed: they would turn a small request into a large
// message. GROUP_BY_INVALID, FILTER_INVALID.
absl::Status CheckCounts(const RequestMessage& message,
                         const ::google::protobuf::Descriptor& type);

// Checks the request: PROJECT_INVALID, RECORD_ID_INVALID.
absl::Status CheckGetRequest(const v1::GetUsageRecordRequest& request);

// Checks and converts the request. For kAllProjects, leaves query.projects
// empty, for the caller to fill.
//
// PROJECT_INVALID, TIME_WINDOW_INVALID, BUCKET_INVALID, TIME_ZONE_UNKNOWN,
// GROUP_BY_INVALID, FILTER_INVALID, ORDER_BY_INVALID, PAGE_SIZE_INVALID,
// PAGE_TOKEN_INVALID.
absl::StatusOr<CheckedQuery<UsageQuery>> CheckQueryRequest(
    const v1::QueryUsageRequest& request, const TimeZones& time_zones,
    const PageTokens& page_tokens);

// Checks and converts the request: PROJECT_INVALID, TIME_WINDOW_INVALID,
// FILTER_INVALID, PAGE_SIZE_INVALID, PAGE_TOKEN_INVALID.
absl::StatusOr<CheckedQuery<RecordQuery>> CheckListRequest(
    const v1::ListUsageRecordsRequest& request, const PageTokens& page_tokens);

// Checks and converts the request: PAGE_SIZE_INVALID, PAGE_TOKEN_INVALID.
absl::StatusOr<CheckedQuery<ProjectQuery>> CheckListProjectsRequest(
    const v1::ListProjectsRequest& request, const PageTokens& page_tokens);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_REQUEST_CHECKS_H_
