// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/json_request.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/gzip.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {
namespace {

using testing::IsOk;

std::string ReasonOf(const absl::Status& status) {
  const auto info = GetErrorInfo(status);
  return info ? info->reason : "";
}

int CountOf(const std::string& field, const std::string& json) {
  return CountJsonElements(
      json, *v1::QueryUsageRequest::descriptor()->FindFieldByName(field));
}

TEST(CountJsonElementsTest, CountsTheElementsOfOneFieldOnly) {
  EXPECT_EQ(CountOf("filters", "{}"), 0);
  EXPECT_EQ(CountOf("filters", R"({"filters":[{}]})"), 1);
  const std::string json =
      R"({"project" : "a,b[", "group_by" : ["a", "[,]", "\",\\"],)"
      R"( "filters" : [ {"field":"model","values":["a","b"]}, {}, {"x":[1,2]}],)"
      R"( "filter": [1, 2, 3, 4, 5]})";
  EXPECT_EQ(CountOf("filters", json), 3);
  EXPECT_EQ(CountOf("group_by", json), 3);
}

TEST(CountJsonElementsTest, KnowsEverySpellingOfTheName) {
  EXPECT_EQ(CountOf("group_by", R"({"groupBy":["a","b"]})"), 2);
  EXPECT_EQ(CountOf("group_by", R"({"\u0067roup_by":["a","b"]})"), 2);
}

TEST(CountJsonElementsTest, EndsForTextThatIsNotJson) {
  for (const char* json : {"", "\"", "{\"", "{\"\\", "]]]]{", "{\"filters\":[",
                           "[[[[", "{\"filters\":[\"\\\""}) {
    EXPECT_LE(CountOf("filters", json), 1) << json;
  }
}

TEST(JsonRequestTest, TakesTwiceTheBytesOfTheBinaryForm) {
  const std::string json =
      R"({"project":"demo"})";  // 6 bytes in binary encoding
  v1::ReportUsageRequest message;
  for (const auto& [bytes, reason] :
       {std::pair(9, ""), std::pair(8, "REQUEST_TOO_LARGE")}) {
    JsonRequest request(json, /*is_compressed=*/false);
    EXPECT_EQ(ReasonOf(request.Unpack(static_cast<std::size_t>(bytes))),
              reason);
    JsonRequest packed(Gzip(json), /*is_compressed=*/true);
    EXPECT_EQ(ReasonOf(packed.Unpack(static_cast<std::size_t>(bytes))), reason);
  }
  JsonRequest request(json, /*is_compressed=*/false);
  ASSERT_THAT(request.Unpack(9), IsOk());
  ASSERT_THAT(request.Parse(&message), IsOk());
  EXPECT_EQ(message.project(), "demo");
}

TEST(JsonRequestTest, RefusesWhatIsLargerInBinaryForm) {
  const std::string json =
      R"({"page_size":-1})";  // 11 bytes in binary encoding
  v1::QueryUsageRequest message;
  for (const auto& [bytes, reason] :
       {std::pair(11, ""), std::pair(10, "REQUEST_TOO_LARGE")}) {
    JsonRequest request(json, /*is_compressed=*/false);
    ASSERT_THAT(request.Unpack(static_cast<std::size_t>(bytes)), IsOk());
    EXPECT_EQ(ReasonOf(request.Parse(&message)), reason);
  }
}

TEST(JsonRequestTest, RefusesMembersThatItDoesNotKnow) {
  JsonRequest request(R"({"project":"demo","recrods":[]})",
                      /*is_compressed=*/false);
  ASSERT_THAT(request.Unpack(1000), IsOk());
  v1::ReportUsageRequest message;
  const absl::Status status = request.Parse(&message);
  EXPECT_EQ(ReasonOf(status), "REQUEST_MALFORMED");
  EXPECT_NE(status.message().find("recrods"), std::string::npos);
}

}  // namespace
}  // namespace tokenusage
