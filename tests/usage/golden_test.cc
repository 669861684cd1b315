// SPDX-License-Identifier: Apache-2.0

// Every usage message, read from its provider's JSON, counted, and written
// again. The expectations are in testdata: one file for each member of
// UsageRecord's oneof `usage`.

#include <cstddef>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/counts.h"
#include "tests/support/status_matchers.h"
#include "tests/usage/golden_cases.pb.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/usage/usage_rules.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::tokenusage::testing::CountsByName;
using ::tokenusage::testing::GoldenCase;
using ::tokenusage::testing::GoldenCases;
using ::tokenusage::testing::IsOk;
using ::tokenusage::testing::IsOkAndHolds;
using ::tokenusage::testing::StatusIs;

std::vector<const FieldDescriptor*> Members() {
  const auto* const oneof =
      v1::UsageRecord::descriptor()->FindOneofByName("usage");
  std::vector<const FieldDescriptor*> members;
  for (int i = 0; i < oneof->field_count(); ++i) {
    members.push_back(oneof->field(i));
  }
  return members;
}

GoldenCases ReadCases(const FieldDescriptor* member) {
  const std::string path =
      "tests/usage/testdata/" + std::string(member->name()) + ".txtpb";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  GoldenCases cases;
  EXPECT_TRUE(file.good()) << path;
  EXPECT_TRUE(
      ::google::protobuf::TextFormat::ParseFromString(text.str(), &cases))
      << path;
  return cases;
}

// Adds the field paths that no message of `messages` sets.
void AddUnset(const std::vector<const Message*>& messages,
              const Descriptor* type, const std::string& prefix,
              std::vector<std::string>* unset) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    bool is_set = false;
    std::vector<const Message*> nested;
    for (const Message* message : messages) {
      const auto& reflection = *message->GetReflection();
      const int size = field->is_repeated()
                           ? reflection.FieldSize(*message, field)
                           : reflection.HasField(*message, field);
      is_set = is_set || size > 0;
      for (int j = 0; j < size && field->message_type() != nullptr; ++j) {
        nested.push_back(
            field->is_repeated()
                ? &reflection.GetRepeatedMessage(*message, field, j)
                : &reflection.GetMessage(*message, field));
      }
    }
    const std::string path = prefix + std::string(field->name());
    if (!is_set) {
      unset->push_back(path);
    } else if (field->message_type() != nullptr) {
      AddUnset(nested, field->message_type(), path + ".", unset);
    }
  }
}

// Reads the case's object into the member, and checks the rules of usages.
absl::Status Read(const GoldenCase& golden, const FieldDescriptor* member,
                  v1::UsageRecord* record) {
  Message* const usage =
      record->GetReflection()->MutableMessage(record, member);
  if (absl::Status status = ParseJson(golden.json(), usage); !status.ok()) {
    return status;
  }
  const UsageRules rules(member->message_type());
  if (std::optional<UsageViolation> violation = rules.Find(*usage)) {
    return absl::InvalidArgumentError(violation->field + ": " +
                                      violation->message);
  }
  return absl::OkStatus();
}

void CheckCase(const GoldenCase& golden, const FieldDescriptor* member) {
  SCOPED_TRACE(std::string(member->name()) + ": " + golden.name());
  v1::UsageRecord record;
  const absl::Status status = Read(golden, member, &record);
  if (!golden.error().empty()) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(golden.error())));
    return;
  }
  ASSERT_THAT(status, IsOk());

  std::vector<v1::UsageInconsistency> why;
  const UsageCounts counts = CountRecord(record, &why);
  EXPECT_EQ(CountsByName(counts),
            (std::map<std::string, std::string>(golden.counts().begin(),
                                                golden.counts().end())));
  std::vector<std::string> fields;
  for (const auto& inconsistency : why) {
    fields.push_back(inconsistency.field());
    EXPECT_NE(inconsistency.reason(), 0);
    EXPECT_THAT(inconsistency.message(), HasSubstr(inconsistency.field()));
  }
  EXPECT_THAT(fields, ElementsAreArray(golden.inconsistent_fields()));
  EXPECT_EQ(counts.inconsistent(), !why.empty());
  EXPECT_EQ(CountRecord(record), counts) << "without descriptions";

  const Message& usage = record.GetReflection()->GetMessage(record, member);
  EXPECT_THAT(WriteJson(usage),
              IsOkAndHolds(golden.written().empty()
                               ? absl::StrReplaceAll(golden.json(),
                                                     {{" ", ""}, {"\n", ""}})
                               : golden.written()));
  if (golden.name() == "full") {
    std::vector<std::string> unset;
    AddUnset({&usage}, member->message_type(), "", &unset);
    EXPECT_THAT(unset, ElementsAreArray(std::vector<std::string>()));
  }
}

class GoldenTest : public ::testing::TestWithParam<const FieldDescriptor*> {};

TEST_P(GoldenTest, IsReadCountedAndWritten) {
  std::set<std::string> names;
  const GoldenCases cases = ReadCases(GetParam());
  for (const GoldenCase& golden : cases.cases()) {
    EXPECT_TRUE(names.insert(golden.name()).second) << golden.name();
    CheckCase(golden, GetParam());
  }
  EXPECT_EQ(names.count("full"), 1);
  EXPECT_EQ(names.count("minimal"), 1);
}

INSTANTIATE_TEST_SUITE_P(EveryUsage, GoldenTest, ::testing::ValuesIn(Members()),
                         [](const auto& info) {
                           return std::string(info.param->name());
                         });

}  // namespace
}  // namespace tokenusage
