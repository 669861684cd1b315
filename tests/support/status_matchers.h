// SPDX-License-Identifier: Apache-2.0

// GoogleMock matchers for absl::Status and absl::StatusOr. A failure prints the
// whole status, which EXPECT_TRUE(status.ok()) hides.
//
//   EXPECT_THAT(store->Append(batch), IsOk());
//   EXPECT_THAT(ReadFile("absent"), StatusIs(absl::StatusCode::kNotFound,
//                                            HasSubstr("absent")));
//   ASSERT_OK_AND_ASSIGN(std::string text, ReadFile(path));

#ifndef TOKENUSAGE_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define TOKENUSAGE_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tokenusage::testing {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// Matches a status, or a StatusOr, that is OK.
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).ok();
}

// Matches a status, or a StatusOr, with this code and a message that matches.
MATCHER_P2(StatusIs, code, message, "") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(
             message, std::string(StatusOf(arg).message()), result_listener);
}
template <typename Code>
auto StatusIs(Code code) {
  return StatusIs(code, ::testing::_);
}

// Matches a StatusOr that is OK and whose value matches.
MATCHER_P(IsOkAndHolds, value, "") {
  if (!arg.ok()) {
    *result_listener << arg.status();
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace tokenusage::testing

#define TOKENUSAGE_STATUS_CONCAT_INNER(a, b) a##b
#define TOKENUSAGE_STATUS_CONCAT(a, b) TOKENUSAGE_STATUS_CONCAT_INNER(a, b)
#define TOKENUSAGE_ASSERT_OK_AND_ASSIGN(result, declaration, expression) \
  auto result = (expression);                                            \
  ASSERT_THAT(result, ::tokenusage::testing::IsOk());                    \
  declaration = *std::move(result)

// Evaluates an expression that returns a StatusOr. Assigns its value to
// `declaration`, or fails the test with its error.
#define ASSERT_OK_AND_ASSIGN(declaration, expression) \
  TOKENUSAGE_ASSERT_OK_AND_ASSIGN(                    \
      TOKENUSAGE_STATUS_CONCAT(status_or_, __LINE__), declaration, expression)

#endif  // TOKENUSAGE_TESTS_SUPPORT_STATUS_MATCHERS_H_
