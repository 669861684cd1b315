// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/store_errors.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {

bool IsStoreFailure(const absl::Status& store_status) {
  switch (store_status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return false;
    default:
      return true;
  }
}

absl::Status ErrorForReader(const absl::Status& store_status,
                            absl::Duration max_read_time) {
  switch (store_status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
      return store_status;
    case absl::StatusCode::kResourceExhausted:
      return BusyError();
    case absl::StatusCode::kDeadlineExceeded:
      return ErrorWithInfo(
          store_status.code(), "QUERY_TIMED_OUT",
          absl::StrCat("the answer took longer than the call's deadline or the "
                       "server's limit of ",
                       absl::ToInt64Seconds(max_read_time),
                       " seconds: ask for a shorter window"));
    case absl::StatusCode::kFailedPrecondition: {
      const HorizonErrorInfo info = HorizonOf(store_status);
      return ErrorWithInfo(
          store_status.code(), "WINDOW_BEFORE_HORIZON",
          FromAbsl(store_status.message()),
          {{"horizon", info.horizon}, {"project", info.project}});
    }
    case absl::StatusCode::kOutOfRange:
      return ErrorWithInfo(
          absl::StatusCode::kInvalidArgument, "ORDER_BY_INVALID",
          absl::StrCat("order_by: expected at most ", kMaxOrderedRows,
                       " rows to order, found more: ask for longer buckets, "
                       "fewer groups, or a shorter window"),
          {{"field", "order_by"}, {"limit", absl::StrCat(kMaxOrderedRows)}});
    case absl::StatusCode::kDataLoss:
      return ErrorWithInfo(
          store_status.code(), "STORE_DAMAGED",
          "the server's store is damaged, and its operator must act; whether "
          "reported records are stored is unknown");
    default:
      return ErrorWithInfo(absl::StatusCode::kUnavailable, "STORE_FAILED",
                           "the server's store failed: send the same request "
                           "again later; records are counted once");
  }
}

absl::Status ErrorForReporter(const absl::Status& store_status) {
  if (!absl::IsDeadlineExceeded(store_status)) {
    return ErrorForReader(store_status, absl::InfiniteDuration());
  }
  return ErrorWithInfo(
      store_status.code(), "REPORT_TIMED_OUT",
      "the call's deadline passed before the batch was stored; nothing of it "
      "was: send it again");
}

absl::Status BusyError() {
  return ErrorWithInfo(absl::StatusCode::kResourceExhausted, "SERVER_BUSY",
                       "the server is busy and did nothing: send the same "
                       "request again after the pushback time");
}

absl::Status DrainingError() {
  return ErrorWithInfo(
      absl::StatusCode::kUnavailable, "SERVER_DRAINING",
      "the server is shutting down: send what was not answered "
      "to another server, or later");
}

}  // namespace tokenusage
