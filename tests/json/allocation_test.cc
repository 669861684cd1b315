// SPDX-License-Identifier: Apache-2.0
//
// Tests that reading into a reused message and writing to a reused string
// allocates nothing.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/json/kinds.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/orq/v2/images.pb.h"

namespace {
std::size_t allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const block = std::malloc(size)) return block;
  std::abort();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace tokenusage {
namespace {

// Reads and writes three times, and expects no allocation the last time.
template <typename Message>
void ExpectNoAllocation(const std::string& json) {
  const std::string larger = "{\"id\":\"a\",\"usage\":" + json + "}";
  Message message;
  std::string out;
  std::size_t before = 0;
  for (int round = 0; round < 3; ++round) {
    before = allocations;
    out.clear();
    EXPECT_EQ(ParseJson(json, &message), absl::OkStatus());
    EXPECT_EQ(AppendJson(message, &out), absl::OkStatus());
    EXPECT_EQ(ParseJsonAt(larger, "usage", &message), absl::OkStatus());
  }
  EXPECT_EQ(allocations - before, 0U) << json;
}

TEST(AllocationTest, NoneForAMessageThatIsUsedAgain) {
  using Usage = orq::v2::PostV2ProxyImagesEditsUsage;
  ExpectNoAllocation<Usage>(
      R"({"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442,)"
      R"("input_tokens_details":{"text_tokens":1,"image_tokens":2}})");
  ExpectNoAllocation<Usage>(
      R"({ "input_tokens_details":{"image_tokens":1,"text_tokens":2},)"
      R"("more":[1],"total_tokens":1,"inputTokens":2,"output_tokens":3})");
  ExpectNoAllocation<testing::Singular>(
      R"({"a_double":1e300,"a_int64":5,"a_string":"longer than fits in place",)"
      R"("a_color":"COLOR_RED","a_point":{"x":1}})");
}

}  // namespace
}  // namespace tokenusage
