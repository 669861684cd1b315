// SPDX-License-Identifier: Apache-2.0

// Errors that programs can act on: an absl::Status that carries a
// google.rpc.ErrorInfo, and its conversion to and from gRPC's status.
//
//   return ErrorWithInfo(
//       absl::StatusCode::kInvalidArgument, "PAGE_SIZE_INVALID",
//       "page_size: expected 0 to 1000, found -1",
//       {{"field", "page_size"}, {"actual", "-1"}});
//
// Source: AIP-193; google/rpc/error_details.proto; gRPC's
// `grpc-status-details-bin` trailer.

#ifndef TOKENUSAGE_RPC_ERROR_INFO_H_
#define TOKENUSAGE_RPC_ERROR_INFO_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace tokenusage {

// The `domain` of every ErrorInfo of this project.
inline constexpr std::string_view kErrorDomain = "tokenusage";

// The part of an error that is for programs.
struct ErrorInfo {
  std::string reason;  // UPPER_SNAKE_CASE
  std::map<std::string, std::string> metadata;
};

// Returns a status with an ErrorInfo. `code` must not be kOk.
absl::Status ErrorWithInfo(
    absl::StatusCode code, std::string_view reason, std::string_view message,
    const std::map<std::string, std::string>& metadata = {});

// Returns the ErrorInfo that a status of this project carries, if any.
std::optional<ErrorInfo> GetErrorInfo(const absl::Status& status);

// Returns the same status for gRPC, details included.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Converts a status back, on a client. Details other than an ErrorInfo are
// dropped.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RPC_ERROR_INFO_H_
