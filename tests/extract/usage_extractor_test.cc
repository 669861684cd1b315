// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/usage_extractor.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/extract/extraction_cases.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/extract/name_probe.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace {

using ::testing::HasSubstr;
using ::tokenusage::extract_internal::FindPart;
using ::tokenusage::extract_internal::NameProbe;
using ::tokenusage::testing::AsServerSentEvents;
using ::tokenusage::testing::Describe;
using ::tokenusage::testing::ExtractStream;
using ::tokenusage::testing::IsOk;
using ::tokenusage::testing::StatusIs;

constexpr char kChunk[] =
    R"({"id":"c1","model":"m1","choices":[{"delta":{"content":"a"}}]})";
constexpr char kLastChunk[] =
    R"({"id":"c1","model":"m1","choices":[],"usage":)"
    R"({"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})";

const Dialect& Chat() { return *FindDialect("openai.chat"); }

TEST(UsageExtractorTest, ReadsStreamsOneAfterTheOther) {
  UsageExtractor extractor(Chat());
  const std::string stream = AsServerSentEvents({kChunk, kLastChunk, "[DONE]"});
  ASSERT_THAT(extractor.Feed(stream), IsOk());
  const std::string first = Describe(extractor.Finish());
  EXPECT_THAT(first, HasSubstr("total_tokens: 9"));
  EXPECT_EQ(Describe(ExtractStream(Chat(), stream, 3)), first);
  ASSERT_THAT(extractor.Feed(stream), IsOk());
  EXPECT_EQ(Describe(extractor.Finish()), first);
}

TEST(UsageExtractorTest, SaysWhenAStreamHasEnded) {
  UsageExtractor extractor(Chat());
  EXPECT_FALSE(extractor.HasEnded());
  ASSERT_THAT(extractor.Feed(AsServerSentEvents({kChunk, kLastChunk})), IsOk());
  EXPECT_FALSE(extractor.HasEnded());
  ASSERT_THAT(extractor.Feed(AsServerSentEvents({"[DONE]"})), IsOk());
  EXPECT_TRUE(extractor.HasEnded());
  ASSERT_THAT(extractor.Feed(AsServerSentEvents({"[DONE]"})), IsOk());
  EXPECT_THAT(Describe(extractor.Finish()), HasSubstr("total_tokens: 9"));
  EXPECT_FALSE(extractor.HasEnded());
}

TEST(UsageExtractorTest, CallsAStreamWithoutEventsAborted) {
  for (const char* stream : {"", "\n\n", ": keep-alive\n\n", "event: x\n\n"}) {
    const auto extraction = ExtractStream(Chat(), stream, 100);
    ASSERT_THAT(extraction, IsOk());
    EXPECT_EQ(extraction->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABORTED);
    EXPECT_FALSE(extraction->is_complete);
  }
}

TEST(UsageExtractorTest, TakesALastEventWithoutEmptyLine) {
  for (const char* end : {"", "\n", "\r\n"}) {
    const auto extraction =
        ExtractStream(Chat(), absl::StrCat("data: ", kLastChunk, end), 10);
    ASSERT_THAT(extraction, IsOk());
    EXPECT_EQ(extraction->unknown_reason, v1::UNKNOWN_USAGE_REASON_UNSPECIFIED);
  }
}

// A stream that is cut at any byte gives a usage or the reason for none.
TEST(UsageExtractorTest, TakesAStreamThatIsCutAnywhere) {
  const std::string stream = AsServerSentEvents({kChunk, kLastChunk});
  const std::size_t usage_end = stream.size() - 2;
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    const auto extraction =
        ExtractStream(Chat(), stream.substr(0, size), stream.size());
    ASSERT_THAT(extraction, IsOk()) << size;
    EXPECT_EQ(extraction->unknown_reason,
              size < usage_end ? v1::UNKNOWN_USAGE_REASON_ABORTED
                               : v1::UNKNOWN_USAGE_REASON_UNSPECIFIED)
        << size;
    EXPECT_EQ(extraction->is_complete, size >= usage_end) << size;
  }
}

TEST(UsageExtractorTest, NamesTheMemberFromTheRoot) {
  const auto path_of = [](const char* dialect, const char* body) {
    const auto extraction = UsageExtractor(*FindDialect(dialect)).Extract(body);
    return GetJsonError(extraction.status()).value_or(JsonError()).field_path;
  };
  EXPECT_EQ(path_of("openai.chat", R"({"usage":[]})"), "usage");
  EXPECT_EQ(path_of("openai.chat", R"({"usage":{"total_tokens":"x"}})"),
            "usage.total_tokens");
  EXPECT_EQ(path_of("openai.chat", R"({"usage":{"total_tokens":NaN}})"),
            "usage.total_tokens");
  EXPECT_EQ(path_of("openai.chat", R"({"choices":NaN})"), "");
  EXPECT_EQ(path_of("openai.realtime", R"({"response":[]})"), "response");
  EXPECT_EQ(path_of("openai.realtime", R"({"response":{"usage":1}})"),
            "response.usage");
  EXPECT_EQ(path_of("ollama.embed", R"({"prompt_eval_count":"x"})"),
            "prompt_eval_count");
  EXPECT_EQ(UsageExtractor(Chat()).Extract("[]").status().message(),
            "expected an object, found an array (line 1, column 1)");
}

TEST(UsageExtractorTest, KeepsTheErrorUntilFinish) {
  UsageExtractor extractor(Chat());
  const absl::Status error =
      extractor.Feed("data: {\"usage\":{\"prompt_tokens\":\"x\"}}\n\n");
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("usage.prompt_tokens: expected ")));
  ASSERT_TRUE(GetJsonError(error).has_value());
  EXPECT_EQ(GetJsonError(error)->field_path, "usage.prompt_tokens");
  const std::string stream = AsServerSentEvents({kLastChunk});
  EXPECT_EQ(extractor.Feed(stream), error);
  EXPECT_EQ(extractor.Finish().status(), error);
  EXPECT_THAT(extractor.Feed(stream), IsOk());
  EXPECT_THAT(extractor.Finish(), IsOk());
}

TEST(UsageExtractorTest, RefusesALongEvent) {
  const std::string block(std::size_t{1} << 20, 'A');
  for (const char* begin : {"data: \"", "{\"a\":\"", "data: {\ndata: \""}) {
    UsageExtractor extractor(Chat());
    ASSERT_THAT(extractor.Feed(begin), IsOk());
    for (int i = 0; i < 15; ++i) ASSERT_THAT(extractor.Feed(block), IsOk());
    const absl::Status error = extractor.Feed(block);
    EXPECT_THAT(error, StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("at most 16777216 bytes")));
    EXPECT_EQ(extractor.Finish().status(), error);
  }
}

TEST(UsageExtractorTest, TakesEventsWithoutUsageForever) {
  UsageExtractor extractor(Chat());
  const std::string event =
      absl::StrCat("data: {\"content\":\"",
                   std::string(std::size_t{1} << 20, 'A'), "\"}\n\n");
  for (int i = 0; i < 100; ++i) ASSERT_THAT(extractor.Feed(event), IsOk());
  ASSERT_THAT(extractor.Feed(AsServerSentEvents({kLastChunk})), IsOk());
  EXPECT_THAT(Describe(extractor.Finish()), HasSubstr("total_tokens: 9"));
}

// Usage, id and model are found among skipped events, at any size of chunks.
TEST(UsageExtractorTest, FindsUsageBehindWhatItSkips) {
  std::string skipped;
  for (int i = 0; i < 40; ++i) {
    absl::StrAppend(&skipped, "data: ", kChunk, "\n\n: a comment\n\n",
                    "event: x\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n");
  }
  const std::string several_lines = absl::StrReplaceAll(
      absl::StrCat("data: ", kLastChunk, "\n\n"), {{",", ",\ndata: "}});
  const std::string escaped = absl::StrReplaceAll(
      absl::StrCat("data: ", kLastChunk, "\n\n"), {{"usage", "us\\u0061ge"}});
  for (const std::string& last : {several_lines, escaped}) {
    const std::string stream = skipped + last + skipped + "data: [DONE]\n\n";
    const std::string whole =
        Describe(ExtractStream(Chat(), stream, stream.size()));
    EXPECT_THAT(whole, HasSubstr("total_tokens: 9"));
    EXPECT_THAT(whole, HasSubstr("record_id: \"c1\""));
    for (std::size_t size = 1; size < 600; size += 7) {
      EXPECT_EQ(Describe(ExtractStream(Chat(), stream, size)), whole) << size;
    }
  }
}

TEST(UsageExtractorTest, TakesAByteOrderMarkOnlyAtTheStart) {
  const Dialect& images = *FindDialect("openai.images");
  const std::string event = "data: {\"type\":\"image_edit.completed\"}\n\n";
  for (const std::size_t size : {1u, 100u}) {
    const auto at_start = ExtractStream(images, "\xEF\xBB\xBF" + event, size);
    EXPECT_EQ(at_start->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABSENT);
    const auto later =
        ExtractStream(images, ": a\n\n\xEF\xBB\xBF" + event, size);
    EXPECT_EQ(later->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABORTED);
  }
}

TEST(UsageExtractorTest, FindsNoUsageInAHundredMegabytes) {
  const auto extraction = UsageExtractor(Chat()).Extract(
      "{\"content\":\"" + std::string(100'000'000, 'A') + "\"}");
  ASSERT_THAT(extraction, IsOk());
  EXPECT_EQ(extraction->unknown_reason, v1::UNKNOWN_USAGE_REASON_ABSENT);
}

TEST(NameProbeTest, MissesNoSpelling) {
  const NameProbe probe("usage");
  EXPECT_TRUE(probe.MayBeIn(R"({"usage":1})"));
  EXPECT_TRUE(probe.MayBeIn(R"({"\u0075sage":1})"));
  EXPECT_TRUE(probe.MayBeIn(R"({"usag\u0065":1})"));
  EXPECT_TRUE(probe.MayBeIn(R"({"\u0075\u0073\u0061\u0067\u0065":1})"));
  EXPECT_FALSE(probe.MayBeIn(R"({"a":"usage of \"usage\""})"));
  EXPECT_FALSE(probe.MayBeIn(R"({"a":"\u003c\u00e9\u0022"})"));
  EXPECT_FALSE(probe.MayBeIn(R"({"a":"\u00)"));
  EXPECT_FALSE(probe.MayBeIn(""));
}

TEST(NameProbeTest, SkipsNull) {
  const NameProbe probe("usage");
  const auto may_be_in = [&](const char* json) {
    return probe.MayBeIn(json, /*skips_null=*/true);
  };
  EXPECT_FALSE(may_be_in(R"({"usage":null})"));
  EXPECT_FALSE(may_be_in("{\"usage\" :\n null,\"a\":{\"usage\":null}}"));
  EXPECT_TRUE(may_be_in(R"({"usage":null,"a":{"usage":{}}})"));
  EXPECT_TRUE(may_be_in(R"({"usage":null,"a":{"\u0075sage":{}}})"));
  EXPECT_TRUE(may_be_in(R"({"usage":{}})"));
  EXPECT_TRUE(may_be_in(R"({"a":"usage"})"));
  EXPECT_TRUE(may_be_in(R"({"usage")"));
}

TEST(NameProbeTest, FindsTheFirstPlace) {
  const std::string name = "\"usage\"";
  for (std::size_t before = 0; before < 300; ++before) {
    for (const std::size_t behind : {0u, 1u, 63u, 64u, 200u}) {
      std::string text(before, 'u');
      text.append(name).append(behind, 'u').append(name);
      EXPECT_EQ(FindPart(text, name), before);
      EXPECT_EQ(FindPart(text.substr(0, before + 6), name), std::string::npos);
      EXPECT_EQ(NameProbe("usage").Find(text), before);
    }
  }
}

}  // namespace
}  // namespace tokenusage
