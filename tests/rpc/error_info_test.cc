// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/rpc/error_info.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/internal/rpc_status.pb.h"

namespace tokenusage {
namespace {

using testing::IsOk;

absl::Status Example() {
  return ErrorWithInfo(absl::StatusCode::kInvalidArgument, "PAGE_SIZE_INVALID",
                       "page_size: expected 0 to 1000, found -1",
                       {{"field", "page_size"}});
}

TEST(ErrorInfoTest, GoesOverGrpcAndBack) {
  const absl::Status back = FromGrpcStatus(ToGrpcStatus(Example()));
  EXPECT_EQ(back, Example());
  const auto info = GetErrorInfo(back);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->reason, "PAGE_SIZE_INVALID");
  EXPECT_EQ(info->metadata.at("field"), "page_size");
}

// The bytes use the field numbers of google/rpc/error_details.proto.
TEST(ErrorInfoTest, EncodesAGoogleRpcStatus) {
  internal::Status expected;
  expected.set_code(3);
  expected.set_message("page_size: expected 0 to 1000, found -1");
  auto* detail = expected.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value(
      "\x0a\x11PAGE_SIZE_INVALID"
      "\x12\x0atokenusage"
      "\x1a\x12\x0a\x05"
      "field\x12\x09page_size");
  EXPECT_EQ(ToGrpcStatus(Example()).error_details(),
            expected.SerializeAsString());
}

TEST(ErrorInfoTest, OtherStatusesHaveNone) {
  EXPECT_FALSE(GetErrorInfo(absl::OkStatus()).has_value());
  EXPECT_FALSE(GetErrorInfo(absl::UnavailableError("x")).has_value());
  EXPECT_THAT(FromGrpcStatus(grpc::Status::OK), IsOk());
  EXPECT_EQ(FromGrpcStatus(
                grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone", "garbage")),
            absl::UnavailableError("gone"));
}

}  // namespace
}  // namespace tokenusage
