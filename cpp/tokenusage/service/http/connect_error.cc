// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/connect_error.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/internal/connect_error.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"

namespace tokenusage {
namespace {

namespace http = boost::beast::http;

struct ConnectCode {
  const char* name;
  unsigned http_status;
};

ConnectCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
      return {"canceled", 499};
    case absl::StatusCode::kInvalidArgument:
      return {"invalid_argument", 400};
    case absl::StatusCode::kDeadlineExceeded:
      return {"deadline_exceeded", 504};
    case absl::StatusCode::kNotFound:
      return {"not_found", 404};
    case absl::StatusCode::kAlreadyExists:
      return {"already_exists", 409};
    case absl::StatusCode::kPermissionDenied:
      return {"permission_denied", 403};
    case absl::StatusCode::kResourceExhausted:
      return {"resource_exhausted", 429};
    case absl::StatusCode::kFailedPrecondition:
      return {"failed_precondition", 400};
    case absl::StatusCode::kAborted:
      return {"aborted", 409};
    case absl::StatusCode::kOutOfRange:
      return {"out_of_range", 400};
    case absl::StatusCode::kUnimplemented:
      return {"unimplemented", 501};
    case absl::StatusCode::kInternal:
      return {"internal", 500};
    case absl::StatusCode::kUnavailable:
      return {"unavailable", 503};
    case absl::StatusCode::kDataLoss:
      return {"data_loss", 500};
    case absl::StatusCode::kUnauthenticated:
      return {"unauthenticated", 401};
    default:
      return {"unknown", 500};
  }
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
