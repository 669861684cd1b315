// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/anthropic.h"

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::tokenusage::testing::IsOk;

// Returns "type model usage" of each pass.
std::vector<std::string> OtherPasses(std::string_view json) {
  anthropic::v1::MessagesUsage usage;
  EXPECT_THAT(ParseJson(json, &usage), IsOk());
  std::vector<std::string> passes;
  for (const auto& pass : FindOtherPasses(usage)) {
    const auto written = WriteJson(pass.usage);
    EXPECT_THAT(written, IsOk());
    passes.push_back(pass.type + " " + pass.model + " " + written.value_or(""));
  }
  return passes;
}

TEST(FindOtherPassesTest, NoneWithoutIterations) {
  EXPECT_THAT(OtherPasses(R"({"input_tokens":1,"output_tokens":2})"),
              IsEmpty());
}

TEST(FindOtherPassesTest, OrdinaryPassesAreInTheCounts) {
  EXPECT_THAT(OtherPasses(R"({"output_tokens":5,"iterations":[
      {"type":"message","output_tokens":2},
      {"type":"message","output_tokens":3}]})"),
              IsEmpty());
}

TEST(FindOtherPassesTest, CompactionsAndAdvisors) {
  EXPECT_THAT(
      OtherPasses(R"({"input_tokens":682,"output_tokens":1320,"iterations":[
      {"type":"compaction","input_tokens":60385,"output_tokens":592,
       "cache_read_input_tokens":7,"cache_creation_input_tokens":3,
       "cache_creation":{"ephemeral_5m_input_tokens":3,
                         "ephemeral_1h_input_tokens":0}},
      {"type":"message","input_tokens":682,"output_tokens":1320},
      {"type":"advisor_message","model":"claude-fable-5","input_tokens":2728,
       "output_tokens":0}]})"),
      ElementsAre(
          "compaction  "
          R"({"input_tokens":60385,"cache_creation_input_tokens":3,)"
          R"("cache_read_input_tokens":7,"cache_creation":)"
          R"({"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":0},)"
          R"("output_tokens":592})",
          "advisor_message claude-fable-5 "
          R"({"input_tokens":2728,"output_tokens":0})"));
}

TEST(FindOtherPassesTest, ADeclinedMessageBesideAFallback) {
  EXPECT_THAT(
      OtherPasses(R"({"output_tokens":264,"iterations":[
      {"type":"message","model":"a","input_tokens":408,"output_tokens":0},
      {"type":"fallback_message","model":"b","output_tokens":264}]})"),
      ElementsAre(R"(message a {"input_tokens":408,"output_tokens":0})"));
}

TEST(FindOtherPassesTest, UnknownTypesMayBeInTheCounts) {
  EXPECT_THAT(OtherPasses(R"({"output_tokens":3,"iterations":[
      {"type":"pondering","output_tokens":1},{"output_tokens":2}]})"),
              IsEmpty());
}

}  // namespace
}  // namespace tokenusage
