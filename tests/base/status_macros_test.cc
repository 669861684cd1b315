// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/status_macros.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

// A step that fails with a given status. The macros' variables must not hide
// its member `status_`.
class Step {
 public:
  explicit Step(absl::Status status) : status_(std::move(status)) {}

  absl::Status Run() {
    TOKENUSAGE_RETURN_IF_ERROR(status_);
    has_run_ = true;
    return absl::OkStatus();
  }

  bool has_run() const { return has_run_; }

 private:
  absl::Status status_;
  bool has_run_ = false;
};

TEST(StatusMacrosTest, ReturnIfErrorReturnsTheStatusOfAMember) {
  const absl::Status error = absl::NotFoundError("none");
  Step failed(error);
  EXPECT_EQ(failed.Run(), error);
  EXPECT_FALSE(failed.has_run());
  Step succeeded(absl::OkStatus());
  EXPECT_EQ(succeeded.Run(), absl::OkStatus());
  EXPECT_TRUE(succeeded.has_run());
}

absl::Status Add(absl::StatusOr<int> a, absl::StatusOr<int> b, int* sum) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const int first, a);
  TOKENUSAGE_ASSIGN_OR_RETURN(const int second, b);
  *sum = first + second;
  return absl::OkStatus();
}

TEST(StatusMacrosTest, AssignOrReturnReturnsTheFirstError) {
  const absl::Status error = absl::NotFoundError("none");
  int sum = 0;
  EXPECT_EQ(Add(1, 2, &sum), absl::OkStatus());
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(Add(error, absl::UnavailableError("later"), &sum), error);
  EXPECT_EQ(Add(1, error, &sum), error);
  EXPECT_EQ(sum, 3);
}

}  // namespace
}  // namespace tokenusage
