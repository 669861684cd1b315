// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/label_set.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/rollup_options.h"

namespace tokenusage::testing {
namespace {

using Value = std::optional<std::string_view>;

v1::UsageRecord Labelled(const char* a, const char* b) {
  v1::UsageRecord record;
  if (a != nullptr) (*record.mutable_labels())["a"] = a;
  if (b != nullptr) (*record.mutable_labels())["b"] = b;
  (*record.mutable_labels())["other"] = "x";
  return record;
}

TEST(LabelSetTest, EachCombinationHasItsOwnText) {
  const RollupLabels keys = {"a", "b"};
  std::set<std::string> texts;
  const std::vector<const char*> values = {nullptr, "", "x", "xy", "y"};
  for (const char* a : values) {
    for (const char* b : values) {
      const std::string text = LabelSetOf(keys, Labelled(a, b));
      EXPECT_TRUE(texts.insert(text).second);
      EXPECT_EQ(LabelValues(text),
                (std::vector<Value>{a == nullptr ? std::nullopt : Value(a),
                                    b == nullptr ? std::nullopt : Value(b)}));
    }
  }
  EXPECT_EQ(LabelSetOf({}, Labelled("x", "y")), "");
  EXPECT_EQ(DescribeLabelSet(LabelSetOf(keys, Labelled("x", nullptr))),
            "\"x\", none");
}

TEST(RollupLabelsTest, AreSortedAndChecked) {
  EXPECT_EQ(ParseRollupLabels("team,customer").value(),
            (RollupLabels{"customer", "team"}));
  EXPECT_EQ(ParseRollupLabels("").value(), RollupLabels());
  for (const char* text : {",", "a,", "A", "a,a", "a b", "a,b,c,d,e"}) {
    EXPECT_EQ(ParseRollupLabels(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(RollupLabelsTest, ADatabaseKeepsItsOwn) {
  EXPECT_THAT(CheckRollupLabels("x.db", {"a"}, std::nullopt), IsOk());
  EXPECT_THAT(CheckRollupLabels("x.db", {"a"}, RollupLabels{"a"}), IsOk());
  const absl::Status status =
      CheckRollupLabels("x.db", {"a"}, RollupLabels{"b", "c"});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "database x.db keeps rollups by these labels: a; to change that to "
            "b,c, stop the service and run `tokenusage db rebuild-rollups "
            "--labels=b,c`");
}

}  // namespace
}  // namespace tokenusage::testing
