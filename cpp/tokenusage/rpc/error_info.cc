// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/rpc/error_info.h"

#include "absl/strings/cord.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/internal/rpc_status.pb.h"

namespace tokenusage {
namespace {

// The type URL of an ErrorInfo in an Any, in every language.
constexpr char kErrorInfoTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

}  // namespace

absl::Status ErrorWithInfo(absl::StatusCode code, std::string_view reason,
                           std::string_view message,
                           const std::map<std::string, std::string>& metadata) {
  internal::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[key] = value;
  }
  absl::Status status(code, ToAbsl(message));
  status.SetPayload(kErrorInfoTypeUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

std::optional<ErrorInfo> GetErrorInfo(const absl::Status& status) {
  const auto payload = status.GetPayload(kErrorInfoTypeUrl);
  internal::ErrorInfo wire;
  if (!payload.has_value() || !wire.ParseFromString(std::string(*payload)) ||
      wire.domain() != kErrorDomain) {
    return std::nullopt;
  }
  ErrorInfo info;
  info.reason = wire.reason();
  info.metadata.insert(wire.metadata().begin(), wire.metadata().end());
  return info;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message(FromAbsl(status.message()));
  internal::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  status.ForEachPayload(
      [&details](absl::string_view type_url, const absl::Cord& payload) {
        auto* detail = details.add_details();
        detail->set_type_url(std::string(FromAbsl(type_url)));
        detail->set_value(std::string(payload));
      });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      details.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
  internal::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      if (detail.type_url() != kErrorInfoTypeUrl) continue;
      result.SetPayload(kErrorInfoTypeUrl, absl::Cord(detail.value()));
    }
  }
  return result;
}

}  // namespace tokenusage
