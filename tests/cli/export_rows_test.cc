// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/cli/export/rows.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;
using testing::StatusIs;

template <typename Message>
Message Parse(const std::string& json) {
  Message message;
  EXPECT_THAT(ParseJson(json, &message), IsOk());
  return message;
}

v1::UsageRecord Record(const std::string& id, const std::string& members = "") {
  return Parse<v1::UsageRecord>(
      R"({"record_id":")" + id +
      R"(","event_time":"2026-10-01T00:30:00.25Z","operation":"chat",)" +
      R"("provider":"openai","model":"m","labels":{"team":"a \"b\"",)" +
      R"("customer":"=1"},"receive_time":"2026-10-01T00:31:00Z",)" + members +
      R"("token_usage":{"input_tokens":120.5,"output_tokens":0}})");
}

v1::UsageRow Totals(const std::string& group) {
  return Parse<v1::UsageRow>(
      R"({"bucket_start_time":"2026-09-30T22:00:00Z",)"
      R"("bucket_end_time":"2026-10-31T23:00:00Z","group":[)" +
      group +
      R"(],"totals":{"record_count":3,"inconsistent_record_count":1,)"
      R"("unknown_usage_record_count":0,"cost_usd":{"rounded":0.1,)"
      R"("exact":"0.100000000001","record_count":2}}})");
}

class ExportRowsTest : public ::testing::Test {
 protected:
  ExportRows Rows(const std::string& content, const std::string& format,
                  const std::vector<std::string>& group_by = {}) {
    internal::ExportRequest request;
    request.set_content(content);
    request.set_format(format);
    request.set_time_zone("Europe/Berlin");
    for (const std::string& field : group_by) request.add_group_by(field);
    return ExportRows(request);
  }

  // Reads a part; expects the rows' positions and sums to be those written.
  static void ExpectReadsBack(const ExportRows& rows,
                              const std::vector<ExportRow>& written) {
    std::string part = rows.Heading();
    for (const ExportRow& row : written) part += row.text;
    std::size_t at = 0;
    EXPECT_THAT(rows.Read(part,
                          [&](ExportRow row) {
                            ASSERT_LT(at, written.size());
                            EXPECT_EQ(row.sum, written[at].sum) << at;
                            EXPECT_EQ(row.position.time_nanos,
                                      written[at].position.time_nanos);
                            EXPECT_EQ(row.position.key,
                                      written[at].position.key);
                            ++at;
                          }),
                IsOk());
    EXPECT_EQ(at, written.size());
  }
};

TEST_F(ExportRowsTest, WritesRecordsAsCsv) {
  const ExportRows rows = Rows(kExportRecords, kExportCsv);
  EXPECT_THAT(rows.Heading(),
              StartsWith("record_id,event_time,operation,provider,model,labels,"
                         "receive_time,corrects,corrected_by,counted,"
                         "inconsistent,unknown_usage,total_tokens,"));
  ASSERT_OK_AND_ASSIGN(const ExportRow row, rows.Write(Record("a")));
  EXPECT_THAT(
      row.text,
      StartsWith(
          "a,2026-10-01T02:30:00.25+02:00,chat,openai,m,"
          R"("{""customer"":""=1"",""team"":""a \""b\""""}",)"
          "2026-10-01T02:31:00+02:00,,,true,false,false,120.5,120.5,0,,"));
  EXPECT_EQ(row.sum.record_count, 1);
  ExpectReadsBack(rows, {row});
}

TEST_F(ExportRowsTest, MarksRecordsThatDoNotCount) {
  const v1::UsageRecord corrected = Record("a", R"("corrected_by":"b",)");
  v1::UsageRecord takes_back = Record("b", R"("corrects":"a",)");
  takes_back.clear_usage();
  const v1::UsageRecord replaces = Record("c", R"("corrects":"b",)");
  for (const char* format : {kExportCsv, kExportJsonLines}) {
    const ExportRows rows = Rows(kExportRecords, format);
    std::vector<ExportRow> written;
    for (const v1::UsageRecord* record : std::vector<const v1::UsageRecord*>{
             &corrected, &takes_back, &replaces}) {
      ASSERT_OK_AND_ASSIGN(ExportRow row, rows.Write(*record));
      written.push_back(std::move(row));
    }
    EXPECT_EQ(written[0].sum, UsageSum());
    EXPECT_EQ(written[1].sum, UsageSum());
    EXPECT_EQ(written[2].sum.record_count, 1);
    ExpectReadsBack(rows, written);
    if (format != kExportCsv) continue;
    EXPECT_THAT(written[0].text, HasSubstr(",,b,false,false,false,,,,"));
    EXPECT_THAT(written[1].text, HasSubstr(",a,,false,false,false,,,,"));
    EXPECT_THAT(written[2].text, HasSubstr(",b,,true,false,false,120.5,"));
  }
}

TEST_F(ExportRowsTest, WritesTotalsExactly) {
  const v1::UsageRow named = Totals(R"({"field":"labels.c","value":"-x"})");
  const v1::UsageRow empty = Totals(R"({"field":"labels.c","value":""})");
  const v1::UsageRow missing = Totals(R"({"field":"labels.c"})");
  for (const char* format : {kExportCsv, kExportJsonLines}) {
    const ExportRows rows = Rows(kExportTotals, format, {"labels.c"});
    std::vector<ExportRow> written;
    for (const auto* totals : {&missing, &empty, &named}) {
      ASSERT_OK_AND_ASSIGN(ExportRow row, rows.Write(*totals));
      written.push_back(std::move(row));
    }
    EXPECT_TRUE(written[0].position < written[1].position);
    EXPECT_TRUE(written[1].position < written[2].position);
    ExpectReadsBack(rows, written);
    const MeasureSum* cost = written[0].sum.Find(v1::USAGE_MEASURE_COST_USD);
    ASSERT_NE(cost, nullptr);
    EXPECT_EQ(cost->amount.ToDecimal(), "0.100000000001");
    EXPECT_EQ(cost->record_count, 2);
    if (format != kExportCsv) continue;
    const std::string bucket =
        "2026-10-01T00:00:00+02:00,2026-11-01T00:00:00+01:00,";
    EXPECT_THAT(written[0].text, StartsWith(bucket + ",3,1,0,"));
    EXPECT_THAT(written[1].text, StartsWith(bucket + "\"\",3,1,0,"));
    EXPECT_THAT(written[2].text, StartsWith(bucket + "'-x,3,1,0,"));
    EXPECT_THAT(written[2].text, ::testing::EndsWith(",0.100000000001,2\n"));
  }
}

TEST_F(ExportRowsTest, NamesTheRowThatItCannotRead) {
  const ExportRows csv = Rows(kExportRecords, kExportCsv);
  ASSERT_OK_AND_ASSIGN(const ExportRow row, csv.Write(Record("a")));
  const auto read = [](const ExportRows& rows, const std::string& part) {
    return rows.Read(part, [](ExportRow) {});
  };
  const auto is_damaged = [](const char* words) {
    return StatusIs(absl::StatusCode::kDataLoss, HasSubstr(words));
  };
  const std::string good = csv.Heading() + row.text;
  const auto with = [&row](const std::string& from, const std::string& to) {
    std::string text = row.text;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_THAT(read(csv, ""), is_damaged("names of the columns"));
  EXPECT_THAT(read(csv, row.text), is_damaged("names of the columns"));
  for (const std::string& bad :
       {with("true", "yes"), with("120.5", "1e2"), with("120.5", "-1"),
        with("2026", "x"), with("true", "false"), with(",chat", ""),
        std::string("\n")}) {
    EXPECT_THAT(read(csv, good + bad), is_damaged("row 2: ")) << bad;
  }
  EXPECT_THAT(read(csv, good + "\"a"), is_damaged("row 2: expected a closing"));
  EXPECT_THAT(read(Rows(kExportRecords, kExportJsonLines), "{}\n{\n"),
              is_damaged("line 2: "));
  EXPECT_THAT(read(Rows(kExportTotals, kExportJsonLines),
                   R"({"totals":{"images":{"exact":"1e3"}}})"),
              is_damaged("line 1: "));
}

}  // namespace
}  // namespace tokenusage
