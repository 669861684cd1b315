// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/connect_error.h"

#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

TEST(ConnectErrorTest, HasTheErrorInfoAsItsDetail) {
  EXPECT_EQ(
      ConnectErrorJson(ErrorWithInfo(absl::StatusCode::kInvalidArgument,
                                     "PAGE_SIZE_INVALID", "no \"-1\"",
                                     {{"field", "page_size"}})),
      R"({"code":"invalid_argument","message":"no \"-1\"","details":[{)"
      R"("type":"google.rpc.ErrorInfo","value":)"
      R"("ChFQQUdFX1NJWkVfSU5WQUxJRBIKdG9rZW51c2FnZRoSCgVmaWVsZBIJcGFnZV9zaXpl",)"
      R"("debug":{"reason":"PAGE_SIZE_INVALID","domain":"tokenusage",)"
      R"("metadata":{"field":"page_size"}}}]})");
}

TEST(ConnectErrorTest, LeavesDetailsOutIfThereAreNone) {
  EXPECT_EQ(ConnectErrorJson(absl::CancelledError("gone")),
            R"({"code":"canceled","message":"gone"})");
}

// The table of the protocol's specification.
TEST(ConnectErrorTest, HasTheStatusAndNameOfItsCode) {
  using Code = absl::StatusCode;
  for (const auto& [code, name, status] :
       {std::tuple(Code::kCancelled, "canceled", 499u),
        std::tuple(Code::kUnknown, "unknown", 500u),
        std::tuple(Code::kInvalidArgument, "invalid_argument", 400u),
        std::tuple(Code::kDeadlineExceeded, "deadline_exceeded", 504u),
        std::tuple(Code::kNotFound, "not_found", 404u),
        std::tuple(Code::kAlreadyExists, "already_exists", 409u),
        std::tuple(Code::kPermissionDenied, "permission_denied", 403u),
        std::tuple(Code::kResourceExhausted, "resource_exhausted", 429u),
        std::tuple(Code::kFailedPrecondition, "failed_precondition", 400u),
        std::tuple(Code::kAborted, "aborted", 409u),
        std::tuple(Code::kOutOfRange, "out_of_range", 400u),
        std::tuple(Code::kUnimplemented, "unimplemented", 501u),
        std::tuple(Code::kInternal, "internal", 500u),
        std::tuple(Code::kUnavailable, "unavailable", 503u),
        std::tuple(Code::kDataLoss, "data_loss", 500u),
        std::tuple(Code::kUnauthenticated, "unauthenticated", 401u)}) {
    const HttpResponse response = ErrorResponse(absl::Status(code, "x"));
    EXPECT_EQ(response.message.result_int(), status);
    EXPECT_EQ(response.message.body(),
              std::string(R"({"code":")") + name + R"(","message":"x"})");
  }
}

TEST(ConnectErrorTest, TellsWhenToTryAgain) {
  const HttpResponse response = ErrorResponse(
      absl::ResourceExhaustedError("busy"), absl::Milliseconds(1200));
  EXPECT_EQ(response.message["Trailer-Grpc-Retry-Pushback-Ms"], "1200");
  EXPECT_EQ(response.message["Retry-After"], "2");
  EXPECT_EQ(ErrorResponse(absl::ResourceExhaustedError("busy"))
                .message.count("Retry-After"),
            0u);
}

}  // namespace
}  // namespace tokenusage
