// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/connect_error.h"

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/internal/connect_error.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"

namespace tokenusage {
namespace {

namespace http = boost::beast::http;

struct ConnectCode {
  absl::StatusCode code;
  const char* name;
  unsigned http_status;
};

constexpr ConnectCode kUnknown = {absl::StatusCode::kUnknown, "unknown", 500};
constexpr ConnectCode kCodes[] = {
    {absl::StatusCode::kCancelled, "canceled", 499},
    {absl::StatusCode::kInvalidArgument, "invalid_argument", 400},
    {absl::StatusCode::kDeadlineExceeded, "deadline_exceeded", 504},
    {absl::StatusCode::kNotFound, "not_found", 404},
    {absl::StatusCode::kAlreadyExists, "already_exists", 409},
    {absl::StatusCode::kPermissionDenied, "permission_denied", 403},
    {absl::StatusCode::kResourceExhausted, "resource_exhausted", 429},
    {absl::StatusCode::kFailedPrecondition, "failed_precondition", 400},
    {absl::StatusCode::kAborted, "aborted", 409},
    {absl::StatusCode::kOutOfRange, "out_of_range", 400},
    {absl::StatusCode::kUnimplemented, "unimplemented", 501},
    {absl::StatusCode::kInternal, "internal", 500},
    {absl::StatusCode::kUnavailable, "unavailable", 503},
    {absl::StatusCode::kDataLoss, "data_loss", 500},
    {absl::StatusCode::kUnauthenticated, "unauthenticated", 401},
};

const ConnectCode& CodeOf(absl::StatusCode code) {
  for (const ConnectCode& known : kCodes) {
    if (known.code == code) return known;
  }
  return kUnknown;
}

// Returns base64 in the standard alphabet without padding, as Connect requires.
std::string Base64(std::string_view bytes) {
  std::string text = absl::Base64Escape(ToAbsl(bytes));
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

}  // namespace

std::string ConnectErrorJson(const absl::Status& status) {
  internal::ConnectError error;
  error.set_code(CodeOf(status.code()).name);
  error.set_message(std::string(FromAbsl(status.message())));
  if (const auto info = GetErrorInfo(status)) {
    internal::ConnectErrorDetail& detail = *error.add_details();
    internal::ErrorInfo& debug = *detail.mutable_debug();
    debug.set_reason(info->reason);
    debug.set_domain(std::string(kErrorDomain));
    debug.mutable_metadata()->insert(info->metadata.begin(),
                                     info->metadata.end());
    detail.set_type("google.rpc.ErrorInfo");
    detail.set_value(Base64(debug.SerializeAsString()));
  }
  return *WriteJson(error);  // all text is UTF-8, so it cannot fail
}

HttpResponse ErrorResponse(const absl::Status& status,
                           absl::Duration pushback) {
  HttpResponse response;
  auto& message = response.message;
  message.result(CodeOf(status.code()).http_status);
  message.set(http::field::content_type, "application/json");
  if (absl::IsUnauthenticated(status)) {
    message.set(http::field::www_authenticate, "Bearer");
  }
  if (pushback > absl::ZeroDuration()) {
    message.set(absl::StrCat("Trailer-", kPushbackTrailer),
                absl::StrCat(absl::ToInt64Milliseconds(pushback)));
    message.set(http::field::retry_after,
                absl::StrCat(absl::ToInt64Seconds(
                    absl::Ceil(pushback, absl::Seconds(1)))));
  }
  message.body() = ConnectErrorJson(status);
  return response;
}

}  // namespace tokenusage
