// SPDX-License-Identifier: Apache-2.0

#include "tests/extract/extraction_cases.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/support/counts.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/record/record_counts.h"

namespace tokenusage::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string UsageFieldOf(const v1::UsageRecord& record) {
  const auto* field = record.GetReflection()->GetOneofFieldDescriptor(
      record, v1::UsageRecord::descriptor()->FindOneofByName("usage"));
  return field == nullptr ? "" : std::string(field->name());
}

void CheckRecord(const ExpectedRecord& expected, const Dialect& dialect,
                 const v1::UsageRecord& record) {
  EXPECT_EQ(record.provider(), dialect.provider);
  EXPECT_EQ(record.operation(), expected.operation().empty()
                                    ? dialect.operation
                                    : expected.operation());
  EXPECT_EQ(record.model(), expected.model());
  EXPECT_EQ(record.record_id(), expected.record_id());
  EXPECT_FALSE(record.has_event_time());
  if (!expected.unknown().empty()) {
    EXPECT_EQ(v1::UnknownUsageReason_Name(record.usage_unknown().reason()),
              "UNKNOWN_USAGE_REASON_" + expected.unknown());
    return;
  }
  EXPECT_EQ(UsageFieldOf(record), expected.usage().empty()
                                      ? std::string(dialect.usage_field->name())
                                      : expected.usage());
  std::vector<v1::UsageInconsistency> why;
  EXPECT_EQ(CountsByName(CountRecord(record, &why)),
            (std::map<std::string, std::string>(expected.counts().begin(),
                                                expected.counts().end())));
  std::vector<std::string> fields;
  for (const auto& inconsistency : why) fields.push_back(inconsistency.field());
  EXPECT_THAT(fields, ElementsAreArray(expected.inconsistent_fields()));
}

void CheckExtraction(const ExtractionCase& c, const Dialect& dialect,
                     const absl::StatusOr<Extraction>& extraction) {
  if (!c.error().empty()) {
    EXPECT_THAT(extraction, StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr(c.error())));
    return;
  }
  ASSERT_THAT(extraction, IsOk());
  EXPECT_EQ(extraction->is_complete, !c.is_partial());
  EXPECT_THAT(extraction->detail, HasSubstr(c.detail()));
  ASSERT_EQ(extraction->records.size(),
            static_cast<std::size_t>(c.records_size()));
  for (int i = 0; i < c.records_size(); ++i) {
    CheckRecord(c.records(i), dialect,
                extraction->records[static_cast<std::size_t>(i)]);
  }
}

// Returns streams of the same events in other representations.
std::vector<std::string> Representations(
    const std::vector<std::string>& events) {
  const std::string plain = AsServerSentEvents(events);
  std::string lines;
  std::string several_lines;
  for (const std::string& event : events) {
    if (event != "[DONE]") absl::StrAppend(&lines, event, "\n");
    absl::StrAppend(&several_lines, ": a comment\nevent: some\nid: 7\ndata:",
                    event.substr(0, 1),
                    (event.front() == '{' ? "\ndata: " : ""), event.substr(1),
                    "\nretry: 3\n\n\n");
  }
  std::vector<std::string> representations = {several_lines,
                                              "\xEF\xBB\xBF" + plain};
  for (const char* line_end : {"\r\n", "\r"}) {
    for (const std::string& text : {plain, several_lines}) {
      representations.push_back(absl::StrReplaceAll(text, {{"\n", line_end}}));
    }
  }
  // A stream of JSON lines has no [DONE].
  if (std::find(events.begin(), events.end(), "[DONE]") == events.end()) {
    representations.push_back(lines);
    representations.push_back(lines.substr(0, lines.size() - 1));
  }
  return representations;
}

void CheckStream(const ExtractionCase& c, const Dialect& dialect) {
  const std::vector<std::string> events(c.events().begin(), c.events().end());
  const std::string stream = AsServerSentEvents(events);
  const absl::StatusOr<Extraction> whole =
      ExtractStream(dialect, stream, stream.size());
  CheckExtraction(c, dialect, whole);
  for (const std::string& other : Representations(events)) {
    for (const std::size_t chunk_size : {std::size_t{1}, other.size()}) {
      const auto extraction = ExtractStream(dialect, other, chunk_size);
      EXPECT_EQ(extraction.ok(), whole.ok()) << other;
      if (whole.ok()) {
        EXPECT_EQ(Describe(extraction), Describe(whole)) << other;
      }
    }
  }
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    UsageExtractor extractor(dialect);
    static_cast<void>(extractor.Feed(stream.substr(0, cut)));
    static_cast<void>(extractor.Feed(stream.substr(cut)));
    EXPECT_EQ(Describe(extractor.Finish()), Describe(whole)) << cut;
  }
}

}  // namespace

void ReadTextInto(const std::string& path,
                  ::google::protobuf::Message* message) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  EXPECT_TRUE(
      ::google::protobuf::TextFormat::ParseFromString(text.str(), message))
      << path;
}

std::string AsServerSentEvents(const std::vector<std::string>& events) {
  std::string stream;
  for (const std::string& event : events) {
    absl::StrAppend(&stream, "data: ", event, "\n\n");
  }
  return stream;
}

absl::StatusOr<Extraction> ExtractStream(const Dialect& dialect,
                                         std::string_view stream,
                                         std::size_t chunk_size) {
  UsageExtractor extractor(dialect);
  for (; !stream.empty();
       stream.remove_prefix(std::min(chunk_size, stream.size()))) {
    static_cast<void>(extractor.Feed(stream.substr(0, chunk_size)));
  }
  return extractor.Finish();
}

std::string Describe(const absl::StatusOr<Extraction>& extraction) {
  if (!extraction.ok()) return extraction.status().ToString();
  std::string text = absl::StrCat(extraction->is_complete, " ",
                                  extraction->unknown_reason, "\n");
  for (const v1::UsageRecord& record : extraction->records) {
    absl::StrAppend(&text, record.DebugString(), "\n");
  }
  return text;
}

void CheckCase(const ExtractionCase& c) {
  SCOPED_TRACE(c.dialect() + ": " + c.name());
  const Dialect* const dialect = FindDialect(c.dialect());
  ASSERT_NE(dialect, nullptr);
  if (c.events().empty()) {
    CheckExtraction(c, *dialect, UsageExtractor(*dialect).Extract(c.body()));
  } else {
    CheckStream(c, *dialect);
  }
}

}  // namespace tokenusage::testing
