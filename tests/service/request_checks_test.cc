// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/request_checks.h"

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using testing::StatusIs;

v1::QueryUsageRequest ValidQuery() {
  v1::QueryUsageRequest request;
  request.set_project("demo");
  request.mutable_start_time()->set_seconds(1748822400);
  request.mutable_end_time()->set_seconds(1749427200);
  return request;
}

class RequestChecksTest : public ::testing::Test {
 protected:
  // Returns the reason why `request` is refused; "" if it is not.
  std::string QueryRefusal(
      const std::function<void(v1::QueryUsageRequest*)>& change) {
    v1::QueryUsageRequest request = ValidQuery();
    change(&request);
    const auto checked = CheckQueryRequest(request, time_zones_, page_tokens_);
    if (checked.ok()) return "";
    EXPECT_EQ(checked.status().code(), absl::StatusCode::kInvalidArgument);
    const auto info = GetErrorInfo(checked.status());
    return info ? info->reason : "no ErrorInfo";
  }

  const TimeZones time_zones_ = TimeZones::FromSystem();
  const PageTokens page_tokens_{"key"};
};

using Request = v1::QueryUsageRequest;

TEST_F(RequestChecksTest, FillsInTheDefaults) {
  const auto checked =
      CheckQueryRequest(ValidQuery(), time_zones_, page_tokens_);
  ASSERT_THAT(checked, IsOk());
  EXPECT_EQ(checked->query.projects, std::vector<std::string>{"demo"});
  EXPECT_FALSE(checked->query.order.has_value());
  EXPECT_EQ(checked->query.window.start_nanos, 1748822400000000000);
  EXPECT_EQ(checked->query.window.end_nanos, 1749427200000000000);
  EXPECT_EQ(checked->query.bucket, v1::TIME_BUCKET_NONE);
  EXPECT_EQ(checked->query.time_zone, absl::UTCTimeZone());
  EXPECT_EQ(checked->query.page_size, 1000);
  EXPECT_FALSE(checked->query.after.has_value());
}

TEST_F(RequestChecksTest, RefusesBadProjects) {
  for (const std::string& project :
       {std::string(), std::string("Demo"), std::string("-demo"),
        std::string("a b"), std::string(64, 'a')}) {
    EXPECT_EQ(QueryRefusal([&](Request* r) { r->set_project(project); }),
              "PROJECT_INVALID")
        << project;
  }
  EXPECT_EQ(
      QueryRefusal([](Request* r) { r->set_project(std::string(63, 'a')); }),
      "");
}

TEST_F(RequestChecksTest, RefusesBadWindows) {
  const std::string reason = "TIME_WINDOW_INVALID";
  EXPECT_EQ(QueryRefusal([](Request* r) { r->clear_start_time(); }), reason);
  EXPECT_EQ(QueryRefusal([](Request* r) { r->clear_end_time(); }), reason);
  EXPECT_EQ(QueryRefusal(
                [](Request* r) { *r->mutable_end_time() = r->start_time(); }),
            reason);
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->mutable_start_time()->set_seconds(946684799);
            }),
            reason);
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->mutable_start_time()->set_seconds(946684800);
              r->mutable_end_time()->set_seconds(7258118400);
            }),
            "");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->mutable_end_time()->set_seconds(7258118400);
              r->mutable_end_time()->set_nanos(1);
            }),
            reason);
  EXPECT_EQ(
      QueryRefusal([](Request* r) { r->mutable_start_time()->set_nanos(-1); }),
      reason);
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->mutable_start_time()->set_nanos(1000000000);
            }),
            reason);
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->mutable_start_time()->set_seconds(INT64_MIN);
            }),
            reason);
}

// As bytes the two requests may be the same.
TEST_F(RequestChecksTest, APageTokenIsThatOfItsMethod) {
  const v1::QueryUsageRequest query = ValidQuery();
  v1::ListUsageRecordsRequest list;
  list.set_project(query.project());
  *list.mutable_start_time() = query.start_time();
  *list.mutable_end_time() = query.end_time();
  ASSERT_EQ(list.SerializeAsString(), query.SerializeAsString());
  const auto checked = CheckQueryRequest(query, time_zones_, page_tokens_);
  ASSERT_THAT(checked, IsOk());
  list.set_page_token(page_tokens_.Encode(
      {checked->fingerprint, checked->query.window.start_nanos, "id"}));
  const auto refused = CheckListRequest(list, page_tokens_);
  ASSERT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(GetErrorInfo(refused.status())->reason, "PAGE_TOKEN_INVALID");
}

TEST_F(RequestChecksTest, RefusesBadGroupsAndFilters) {
  EXPECT_EQ(QueryRefusal([](Request* r) { r->add_group_by("user"); }),
            "GROUP_BY_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) { r->add_group_by("labels."); }),
            "GROUP_BY_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->add_group_by("model");
              r->add_group_by("model");
            }),
            "GROUP_BY_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              for (const char* key : {"a", "b", "c", "d", "e"}) {
                r->add_group_by(std::string("labels.") + key);
              }
            }),
            "GROUP_BY_INVALID");
  EXPECT_EQ(
      QueryRefusal([](Request* r) { r->add_filters()->set_field("model"); }),
      "FILTER_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->add_filters()->set_field("model");
              r->mutable_filters(0)->set_match_missing(true);
            }),
            "FILTER_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->add_filters()->set_field("labels.team");
              r->mutable_filters(0)->set_match_missing(true);
            }),
            "");
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->add_filters()->set_field("model");
              for (int i = 0; i < 101; ++i)
                r->mutable_filters(0)->add_values("x");
            }),
            "FILTER_INVALID");
}

TEST_F(RequestChecksTest, FiltersOnTheProjectChooseProjects) {
  Request request = ValidQuery();
  request.add_group_by("project");
  v1::UsageFilter* const filter = request.add_filters();
  filter->set_field("project");
  filter->add_values("other");
  const auto check = [&] {
    return CheckQueryRequest(request, time_zones_, page_tokens_).value();
  };
  EXPECT_TRUE(check().query.projects.empty());
  EXPECT_TRUE(check().query.filters.empty());
  filter->add_values("demo");
  EXPECT_EQ(check().query.projects, std::vector<std::string>{"demo"});
  // The list of projects depends on the caller.
  request.set_project("-");
  EXPECT_TRUE(check().query.projects.empty());
  EXPECT_TRUE(check().Passes("other"));
  EXPECT_FALSE(check().Passes("third"));
  request.clear_filters();
  EXPECT_TRUE(check().Passes("third"));
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->add_filters()->set_field("project");
              r->mutable_filters(0)->set_match_missing(true);
            }),
            "FILTER_INVALID");
}

TEST_F(RequestChecksTest, KnowsTheMeasuresToOrderBy) {
  Request request = ValidQuery();
  const auto check = [&] {
    return CheckQueryRequest(request, time_zones_, page_tokens_);
  };
  request.set_order_by("record_count");
  EXPECT_EQ(check()->query.order->measure, v1::USAGE_MEASURE_UNSPECIFIED);
  request.set_order_by("cost_usd");
  EXPECT_EQ(check()->query.order->measure, v1::USAGE_MEASURE_COST_USD);
  for (const char* wrong : {"cost", "COST_USD", "-cost_usd", "model", "rank"}) {
    request.set_order_by(wrong);
    const absl::Status status = check().status();
    EXPECT_EQ(GetErrorInfo(status)->reason, "ORDER_BY_INVALID");
    EXPECT_NE(status.message().find(
                  "order_by: expected record_count or a measure: total_tokens, "
                  "input_tokens, "),
              absl::string_view::npos);
    EXPECT_NE(status.message().find(", cost_usd, found \""),
              absl::string_view::npos)
        << status;
  }
}

TEST_F(RequestChecksTest, PageTokensOfOrderedRowsHoldTheirRank) {
  Request request = ValidQuery();
  request.set_order_by("cost_usd");
  const auto check = [&] {
    return CheckQueryRequest(request, time_zones_, page_tokens_);
  };
  const std::uint64_t fingerprint = check()->fingerprint;
  RowPosition last{check()->query.window.start_nanos,
                   EncodeGroupKey({"a", std::nullopt, ""})};
  for (const std::optional<Amount>& rank :
       {std::optional<Amount>(), std::optional<Amount>(Amount()),
        std::optional<Amount>(Amount::FromCount(8105.75)),
        std::optional<Amount>(Amount::FromPicos(absl::Int128Max()))}) {
    last.rank = rank;
    request.set_page_token(page_tokens_.Encode(
        {fingerprint, last.bucket_start_nanos, PageKeyOf(last)}));
    const auto checked = check();
    ASSERT_THAT(checked, IsOk());
    EXPECT_EQ(checked->query.after->rank, rank);
    EXPECT_EQ(checked->query.after->encoded_key, last.encoded_key);
    EXPECT_EQ(checked->query.after->bucket_start_nanos,
              last.bucket_start_nanos);
  }
  request.clear_order_by();
  EXPECT_EQ(GetErrorInfo(check().status())->reason, "PAGE_TOKEN_INVALID");
}

TEST_F(RequestChecksTest, ListsTakeTheFiltersOfQueries) {
  v1::ListUsageRecordsRequest list;
  list.set_project("demo");
  *list.mutable_start_time() = ValidQuery().start_time();
  *list.mutable_end_time() = ValidQuery().end_time();
  v1::UsageFilter* const filter = list.add_filters();
  filter->set_field("labels.team");
  EXPECT_EQ(GetErrorInfo(CheckListRequest(list, page_tokens_).status())->reason,
            "FILTER_INVALID");
  filter->add_values("red");
  const auto checked = CheckListRequest(list, page_tokens_);
  ASSERT_THAT(checked, IsOk());
  ASSERT_EQ(checked->query.filters.size(), 1u);
  EXPECT_EQ(checked->query.filters[0].field.label_key, "team");
  // A list is of one project.
  list.set_project("-");
  EXPECT_EQ(GetErrorInfo(CheckListRequest(list, page_tokens_).status())->reason,
            "PROJECT_INVALID");
}

TEST_F(RequestChecksTest, RefusesTheRest) {
  EXPECT_EQ(QueryRefusal([](Request* r) {
              r->set_bucket(static_cast<v1::TimeBucket>(99));
            }),
            "BUCKET_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) { r->set_time_zone("Mars/Olympus"); }),
            "TIME_ZONE_UNKNOWN");
  EXPECT_EQ(QueryRefusal([](Request* r) { r->set_page_size(-1); }),
            "PAGE_SIZE_INVALID");
  EXPECT_EQ(QueryRefusal([](Request* r) { r->set_page_size(1 << 30); }), "");
  EXPECT_EQ(QueryRefusal([](Request* r) { r->set_page_token("x"); }),
            "PAGE_TOKEN_INVALID");
}

TEST_F(RequestChecksTest, FingerprintDependsOnAllButThePage) {
  const auto fingerprint = [this](const Request& request) {
    return CheckQueryRequest(request, time_zones_, page_tokens_)->fingerprint;
  };
  Request other = ValidQuery();
  other.set_page_size(7);
  EXPECT_EQ(fingerprint(other), fingerprint(ValidQuery()));
  other.set_bucket(v1::TIME_BUCKET_DAY);
  EXPECT_NE(fingerprint(other), fingerprint(ValidQuery()));
}

TEST_F(RequestChecksTest, RefusesBatchesOverTheLimits) {
  EXPECT_THAT(CheckRecordCount(1000), IsOk());
  EXPECT_EQ(GetErrorInfo(CheckRecordCount(1001))->reason, "TOO_MANY_RECORDS");
}

}  // namespace
}  // namespace tokenusage
