// SPDX-License-Identifier: Apache-2.0

// Tests every dialect with every kind of response. The usage objects and their
// counts are those of tests/usage/testdata.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/extract/extraction_cases.h"
#include "tests/support/status_matchers.h"
#include "tests/usage/golden_cases.pb.h"

namespace tokenusage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::tokenusage::testing::AsServerSentEvents;
using ::tokenusage::testing::CheckCase;
using ::tokenusage::testing::Envelope;
using ::tokenusage::testing::Envelopes;
using ::tokenusage::testing::ExpectedRecord;
using ::tokenusage::testing::ExtractionCase;
using ::tokenusage::testing::ExtractStream;
using ::tokenusage::testing::GoldenCase;
using ::tokenusage::testing::GoldenCases;
using ::tokenusage::testing::IsOk;
using ::tokenusage::testing::ReadText;
using ::tokenusage::testing::StatusIs;

Envelope EnvelopeOf(const Dialect& dialect) {
  static const auto* const all = new Envelopes(
      ReadText<Envelopes>("tests/extract/testdata/envelopes.txtpb"));
  for (const Envelope& envelope : all->envelopes()) {
    const auto& names = envelope.dialects();
    if (std::count(names.begin(), names.end(), std::string(dialect.name)) > 0) {
      return envelope;
    }
  }
  ADD_FAILURE() << "no envelope in envelopes.txtpb";
  return Envelope();
}

GoldenCase UsageOf(const Dialect& dialect, const std::string& name) {
  const auto cases = ReadText<GoldenCases>(
      absl::StrCat("tests/usage/testdata/",
                   std::string(dialect.usage_field->name()), ".txtpb"));
  for (const GoldenCase& golden : cases.cases()) {
    if (golden.name() == name) return golden;
  }
  ADD_FAILURE() << "no case " << name;
  return GoldenCase();
}

// Returns the smallest usage that counts something.
GoldenCase SmallUsageOf(const Dialect& dialect) {
  const GoldenCase minimal = UsageOf(dialect, "minimal");
  return minimal.counts().empty() ? UsageOf(dialect, "full") : minimal;
}

// Returns the text between an object's braces.
std::string Members(const std::string& object) {
  return object.substr(1, object.size() - 2);
}
bool HasObject(const Envelope& envelope) {
  return absl::StrContains(envelope.body(), ":@");
}
std::string Fill(const std::string& text, const std::string& usage,
                 bool has_object) {
  return absl::StrReplaceAll(text,
                             {{"@", has_object ? usage : Members(usage)}});
}

// Removes the member whose value is "@", or "@" itself, and the comma after it.
std::string WithoutUsage(std::string text, bool has_object) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos) return text;
  const std::size_t begin = has_object ? text.rfind('"', at - 3) : at;
  std::size_t end = at + 1;
  if (text[end] == ',') ++end;
  return text.erase(begin, end - begin);
}

class DialectTest : public ::testing::TestWithParam<Dialect> {
 protected:
  const Dialect& dialect() const { return GetParam(); }
  const Envelope& envelope() const { return envelope_; }
  bool has_object() const { return HasObject(envelope_); }
  bool is(std::string_view name) const { return dialect().name == name; }

  // Returns whether the dialect's streams give a record for each usage.
  bool has_records_of_events() const {
    static const auto* const names = new std::set<std::string_view>(
        {"bedrock.converse", "bedrock.invoke", "ollama.chat", "ollama.generate",
         "openai.realtime", "openai.realtime_transcription"});
    return names->count(dialect().name) > 0;
  }

  ExtractionCase Case(const std::string& name) const {
    ExtractionCase c;
    c.set_name(name);
    c.set_dialect(std::string(dialect().name));
    return c;
  }
  ExtractionCase BodyCase(const std::string& name,
                          const std::string& usage) const {
    ExtractionCase c = Case(name);
    c.set_body(Fill(envelope_.body(), usage, has_object()));
    return c;
  }
  ExtractionCase StreamCase(const std::string& name,
                            const std::string& usage) const {
    ExtractionCase c = Case(name);
    for (const std::string& event : envelope_.events()) {
      c.add_events(Fill(event, usage, has_object()));
    }
    return c;
  }

  ExpectedRecord Expect(const GoldenCase& golden) const {
    ExpectedRecord record;
    record.set_model(envelope_.model());
    record.set_record_id(envelope_.record_id());
    *record.mutable_counts() = golden.counts();
    *record.mutable_inconsistent_fields() = golden.inconsistent_fields();
    return record;
  }
  ExpectedRecord ExpectUnknown(const std::string& reason) const {
    ExpectedRecord record = Expect(GoldenCase());
    record.set_unknown(reason);
    return record;
  }

  // Checks that the usage gives one record with these counts, in a body and in
  // a stream.
  void CheckUsage(const std::string& name, const std::string& usage,
                  const GoldenCase& golden) const {
    ExtractionCase body = BodyCase(name, usage);
    *body.add_records() = Expect(golden);
    CheckCase(body);
    if (envelope_.events().empty()) return;
    ExtractionCase stream = StreamCase(name, usage);
    *stream.add_records() = Expect(golden);
    CheckCase(stream);
  }

  absl::Status ErrorOf(const std::string& usage) const {
    return UsageExtractor(dialect())
        .Extract(BodyCase("", usage).body())
        .status();
  }

 private:
  const Envelope envelope_ = EnvelopeOf(GetParam());
};

TEST_P(DialectTest, CountsSmallUsage) {
  const GoldenCase golden = SmallUsageOf(dialect());
  CheckUsage("small", golden.json(), golden);
}

TEST_P(DialectTest, CountsFullUsage) {
  const GoldenCase golden = UsageOf(dialect(), "full");
  const auto extraction =
      UsageExtractor(dialect()).Extract(BodyCase("", golden.json()).body());
  ASSERT_THAT(extraction, IsOk());
  // Further records are compared by the cases of testdata/responses.
  if (extraction->records.size() == 1) {
    CheckUsage("full", golden.json(), golden);
  }
}

TEST_P(DialectTest, IgnoresUnknownMembers) {
  const GoldenCase golden = SmallUsageOf(dialect());
  CheckUsage("unknown",
             absl::StrCat(R"({"new_member":{"a":[1,"}"],"b":null},)",
                          golden.json().substr(1)),
             golden);
}

TEST_P(DialectTest, TellsNullFromAbsent) {
  ExtractionCase absent = Case("absent");
  absent.set_body(WithoutUsage(envelope().body(), has_object()));
  *absent.add_records() = ExpectUnknown("ABSENT");
  CheckCase(absent);
  if (!has_object()) return;
  ExtractionCase null = BodyCase("null", "null");
  *null.add_records() = ExpectUnknown("NULL");
  CheckCase(null);
}

TEST_P(DialectTest, TellsNullFromAbsentInStreams) {
  if (envelope().events().empty() || !has_object()) return;
  const bool ends = envelope().has_end();
  ExtractionCase absent = Case("absent");
  for (const std::string& event : envelope().events()) {
    absent.add_events(absl::StrReplaceAll(WithoutUsage(event, has_object()),
                                          {{R"(,"usage":null)", ""}}));
  }
  *absent.add_records() = ExpectUnknown(ends ? "ABSENT" : "ABORTED");
  absent.set_is_partial(!ends);
  CheckCase(absent);

  ExtractionCase null = StreamCase("null", "null");
  *null.add_records() = ExpectUnknown(ends ? "NULL" : "ABORTED");
  null.set_is_partial(!ends);
  CheckCase(null);
}

TEST_P(DialectTest, SaysThatAStreamEndedEarly) {
  if (envelope().events().empty()) return;
  ExtractionCase c = Case("early_end");
  for (const std::string& event : envelope().events()) {
    if (absl::StrContains(event, "@")) break;
    c.add_events(event);
  }
  UsageExtractor extractor(dialect());
  for (const std::string& event : c.events()) {
    ASSERT_THAT(extractor.Feed("data: " + event + "\n\n"), IsOk());
  }
  const auto extraction = extractor.Finish();
  ASSERT_THAT(extraction, IsOk());
  EXPECT_FALSE(extraction->is_complete);
  EXPECT_EQ(extraction->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABORTED);
  ASSERT_EQ(extraction->records.size(), 1);
  EXPECT_EQ(extraction->records[0].usage_unknown().reason(),
            v1::UNKNOWN_USAGE_REASON_ABORTED);
}

TEST_P(DialectTest, DoesNotAddRepeatedUsage) {
  if (envelope().events().empty() || is("google.live")) return;
  const GoldenCase golden = SmallUsageOf(dialect());
  ExtractionCase c = Case("repeated");
  for (const std::string& event : envelope().events()) {
    const std::string filled = Fill(event, golden.json(), has_object());
    c.add_events(filled);
    if (filled == event) continue;
    c.add_events(filled);
    *c.add_records() = Expect(golden);
  }
  if (has_records_of_events()) {
    c.mutable_records()->CopyFrom(c.records());
    *c.add_records() = c.records(0);
  } else {
    c.mutable_records()->DeleteSubrange(1, c.records_size() - 1);
  }
  const std::string& last = *envelope().events().rbegin();
  if (envelope().has_end() && absl::StrContains(last, "@")) {
    c.set_error("usage: expected none after the stream's end");
  }
  CheckCase(c);
}

TEST_P(DialectTest, NamesWhatAForeignUsageLacks) {
  const auto extraction = UsageExtractor(dialect()).Extract(
      BodyCase("", R"({"foreign_count":5})").body());
  ASSERT_THAT(extraction, IsOk());
  EXPECT_EQ(extraction->unknown_reason,
            has_object() ? v1::UNKNOWN_USAGE_REASON_INCOMPLETE
                         : v1::UNKNOWN_USAGE_REASON_ABSENT);
  EXPECT_EQ(extraction->detail.empty(), !has_object());
}

// Replaces the first number of a usage.
TEST_P(DialectTest, NamesTheMemberOfABadCount) {
  const std::string json = SmallUsageOf(dialect()).json();
  std::size_t begin = json.find("\":") + 2;
  while (json[begin] < '0' || json[begin] > '9') {
    begin = json.find("\":", begin) + 2;
  }
  const std::size_t end = json.find_first_not_of("0123456789.", begin);
  const std::size_t name_end = json.rfind('"', begin);
  const std::size_t name_begin = json.rfind('"', name_end - 1) + 1;
  const std::string name = json.substr(name_begin, name_end - name_begin);
  const auto with = [&](const std::string& number) {
    return json.substr(0, begin) + number + json.substr(end);
  };
  for (const char* bad :
       {"-1", "9007199254740994", "1e400", "\"x\"", "true", "[]", "{}"}) {
    EXPECT_THAT(ErrorOf(with(bad)), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr(": expected ")))
        << bad;
    EXPECT_THAT(std::string(ErrorOf(with(bad)).message()),
                AllOf(HasSubstr("expected a"), Not(HasSubstr("\n"))))
        << bad;
  }
  EXPECT_THAT(std::string(ErrorOf(with("\"x\"")).message()), HasSubstr(name));
  for (const char* no_json : {"NaN", "Infinity", "01", "+1", "1."}) {
    EXPECT_THAT(ErrorOf(with(no_json)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_P(DialectTest, FindsNoUsageInALargeBody) {
  const std::string large(std::size_t{8} << 20, 'A');
  const auto extraction =
      UsageExtractor(dialect()).Extract(R"({"content":")" + large + "\"}");
  ASSERT_THAT(extraction, IsOk());
  EXPECT_EQ(extraction->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABSENT);
}

std::string NameOf(const ::testing::TestParamInfo<Dialect>& info) {
  return absl::StrReplaceAll(std::string(info.param.name), {{".", "_"}});
}
INSTANTIATE_TEST_SUITE_P(All, DialectTest, ::testing::ValuesIn(Dialects()),
                         NameOf);

TEST(DialectsTest, AreFoundByTheirNames) {
  EXPECT_EQ(FindDialect("openai.nothing"), nullptr);
  EXPECT_EQ(FindDialect(""), nullptr);
  for (std::size_t i = 0; i < Dialects().size(); ++i) {
    EXPECT_EQ(FindDialect(Dialects()[i].name), &Dialects()[i]);
    if (i == 0) continue;
    EXPECT_LT(Dialects()[i - 1].name, Dialects()[i].name);
  }
}

// Each usage that a record can have is that of a dialect, except for the three
// with which `given` starts.
TEST(DialectsTest, GiveEveryUsage) {
  std::set<std::string> given = {"token_usage", "usage_unknown",
                                 "openai_responses_tool_usage"};
  for (const Dialect& dialect : Dialects()) {
    given.insert(std::string(dialect.usage_field->name()));
  }
  const auto* usage = v1::UsageRecord::descriptor()->FindOneofByName("usage");
  for (int i = 0; i < usage->field_count(); ++i) {
    EXPECT_EQ(given.count(std::string(usage->field(i)->name())), 1)
        << usage->field(i)->name();
  }
}

}  // namespace
}  // namespace tokenusage
