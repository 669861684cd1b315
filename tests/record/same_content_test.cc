// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/same_content.h"

#include <cmath>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/records.h"

namespace tokenusage {
namespace {

using ::google::protobuf::UnknownFieldSet;
using testing::ValidRecord;

UnknownFieldSet* UnknownOf(::google::protobuf::Message* message) {
  return message->GetReflection()->MutableUnknownFields(message);
}

void ExpectSame(const v1::UsageRecord& a, const v1::UsageRecord& b) {
  EXPECT_TRUE(SameContent(a, b));
  EXPECT_TRUE(SameContent(b, a));
}

void ExpectDifferent(const v1::UsageRecord& a, const v1::UsageRecord& b) {
  EXPECT_FALSE(SameContent(a, b));
  EXPECT_FALSE(SameContent(b, a));
}

TEST(FirstDifferenceTest, NamesTheFirstFieldThatDiffers) {
  v1::UsageRecord record = ValidRecord();
  (*record.mutable_labels())["team"] = "red";
  (*record.mutable_labels())["zone"] = "eu";
  const auto difference = [&record](const auto& change) {
    v1::UsageRecord changed = record;
    change(&changed);
    EXPECT_EQ(FirstDifference(record, changed),
              FirstDifference(changed, record));
    return FirstDifference(record, changed);
  };
  using Record = v1::UsageRecord;
  EXPECT_EQ(difference([](Record* r) {
              r->mutable_receive_time()->set_seconds(1);
              r->set_corrected_by("other");
            }),
            "");
  EXPECT_EQ(difference([](Record* r) { r->set_model("another"); }), "model");
  EXPECT_EQ(difference([](Record* r) {
              r->mutable_event_time()->set_nanos(7);
              r->set_model("another");
            }),
            "event_time.nanos");
  EXPECT_EQ(difference([](Record* r) { (*r->mutable_labels())["zone"] = ""; }),
            "labels.zone");
  EXPECT_EQ(difference([](Record* r) { (*r->mutable_labels())["a"] = ""; }),
            "labels.a");
  EXPECT_EQ(difference([](Record* r) { r->mutable_labels()->erase("team"); }),
            "labels.team");
  EXPECT_EQ(difference([](Record* r) { UnknownOf(r)->AddVarint(1000, 1); }),
            "an unknown field");
  record.mutable_token_usage()->set_input_tokens(1);
  EXPECT_EQ(difference([](Record* r) {
              r->mutable_token_usage()->set_input_tokens(2);
            }),
            "token_usage.input_tokens");
  EXPECT_EQ(difference([](Record* r) { r->clear_usage(); }), "token_usage");
}

TEST(SameContentTest, ARecordIsTheSameAsItsCopy) {
  v1::UsageRecord record = ValidRecord();
  (*record.mutable_labels())["team"] = "red";
  UnknownOf(&record)->AddVarint(1000, 1);
  v1::UsageRecord read;
  ASSERT_TRUE(read.ParseFromString(record.SerializeAsString()));
  ExpectSame(record, read);
  ExpectSame(v1::UsageRecord(), v1::UsageRecord());
}

TEST(SameContentTest, EveryFieldOfTheReporterCounts) {
  const std::function<void(v1::UsageRecord*)> changes[] = {
      [](auto* r) { r->set_record_id("other"); },
      [](auto* r) { r->mutable_event_time()->set_nanos(2); },
      [](auto* r) { r->mutable_event_time()->set_seconds(2); },
      [](auto* r) { r->clear_event_time(); },
      [](auto* r) { r->set_operation("x"); },
      [](auto* r) { r->set_provider("x"); },
      [](auto* r) { r->clear_model(); },
      [](auto* r) { (*r->mutable_labels())["x"] = ""; },
      [](auto* r) { r->set_usage_json("{}"); },
      [](auto* r) { r->clear_usage(); },
      [](auto* r) { r->mutable_orq_images_edits()->set_total_tokens(8105.76); },
      [](auto* r) { r->mutable_orq_images_edits()->clear_total_tokens(); },
      [](auto* r) {
        r->mutable_orq_images_edits()->clear_input_tokens_details();
      },
      [](auto* r) { r->mutable_orq_images_variations(); },
      [](auto* r) { UnknownOf(r)->AddVarint(1000, 0); },
      [](auto* r) {
        UnknownOf(r->mutable_orq_images_edits())->AddVarint(9, 0);
      },
      [](auto* r) { UnknownOf(r->mutable_event_time())->AddVarint(9, 0); },
  };
  for (const auto& change : changes) {
    v1::UsageRecord changed = ValidRecord();
    change(&changed);
    ExpectDifferent(changed, ValidRecord());
  }
}

TEST(SameContentTest, TheSameCountsAsAnotherKindOfUsageDiffer) {
  v1::UsageRecord edits = ValidRecord();
  v1::UsageRecord variations = edits;
  std::string bytes = edits.orq_images_edits().SerializeAsString();
  ASSERT_TRUE(
      variations.mutable_orq_images_variations()->ParseFromString(bytes));
  ExpectDifferent(edits, variations);
}

TEST(SameContentTest, OutputOnlyFieldsAreLeftOut) {
  v1::UsageRecord received = ValidRecord();
  received.mutable_receive_time()->set_seconds(5);
  received.add_inconsistencies()->set_field("total_tokens");
  ExpectSame(received, ValidRecord());
}

TEST(SameContentTest, DoublesAreComparedByTheirBits) {
  v1::UsageRecord a = ValidRecord();
  v1::UsageRecord b = a;
  a.mutable_orq_images_edits()->set_total_tokens(0.0);
  b.mutable_orq_images_edits()->set_total_tokens(-0.0);
  ExpectDifferent(a, b);
  b.mutable_orq_images_edits()->set_total_tokens(0.0);
  ExpectSame(a, b);
  b.mutable_orq_images_edits()->clear_total_tokens();
  ExpectDifferent(a, b);
  // Equal as fixed-point amounts, still not the same content.
  a.mutable_orq_images_edits()->set_total_tokens(0.3);
  b.mutable_orq_images_edits()->set_total_tokens(0.1 + 0.2);
  ExpectDifferent(a, b);
  a.mutable_orq_images_edits()->set_total_tokens(std::nan(""));
  ExpectSame(a, a);
}

TEST(SameContentTest, LabelsAreASet) {
  v1::UsageRecord a = ValidRecord();
  v1::UsageRecord b = a;
  for (int i = 0; i < 16; ++i) {
    (*a.mutable_labels())["k" + std::to_string(i)] = std::to_string(i);
    (*b.mutable_labels())["k" + std::to_string(15 - i)] =
        std::to_string(15 - i);
  }
  ExpectSame(a, b);
  (*b.mutable_labels())["k3"] = "4";
  ExpectDifferent(a, b);
  b.mutable_labels()->erase("k3");
  ExpectDifferent(a, b);
  (*b.mutable_labels())["other"] = "3";
  ExpectDifferent(a, b);
}

TEST(SameContentTest, UnknownFieldsAreASetPerNumber) {
  v1::UsageRecord a = ValidRecord();
  v1::UsageRecord b = a;
  UnknownOf(&a)->AddVarint(1000, 1);
  UnknownOf(&a)->AddLengthDelimited(1001, "x");
  UnknownOf(&a)->AddFixed64(1002, 7);
  UnknownFieldSet* group = UnknownOf(&a)->AddGroup(1003);
  group->AddFixed32(1, 2);
  group->AddFixed32(2, 3);

  UnknownFieldSet* other = UnknownOf(&b)->AddGroup(1003);
  other->AddFixed32(2, 3);
  other->AddFixed32(1, 2);
  UnknownOf(&b)->AddFixed64(1002, 7);
  UnknownOf(&b)->AddLengthDelimited(1001, "x");
  ExpectDifferent(a, b);
  UnknownOf(&b)->AddVarint(1000, 1);
  ExpectSame(a, b);
  // The number of occurrences of a field matters.
  UnknownOf(&b)->AddVarint(1000, 1);
  ExpectDifferent(a, b);
  UnknownOf(&a)->AddVarint(1000, 2);
  ExpectDifferent(a, b);
}

TEST(SameContentTest, UnknownFieldsOfAnotherTypeDiffer) {
  v1::UsageRecord a = ValidRecord();
  v1::UsageRecord b = a;
  UnknownOf(&a)->AddVarint(1000, 1);
  UnknownOf(&b)->AddFixed64(1000, 1);
  ExpectDifferent(a, b);
}

}  // namespace
}  // namespace tokenusage
