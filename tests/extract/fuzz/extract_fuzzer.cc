// SPDX-License-Identifier: Apache-2.0

// Extracts from any bytes. Nothing crashes, the size of chunks does not matter,
// and the records keep the rules of records.
//
// The first byte of an input chooses the dialect, the second the chunks' size.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/extract/extraction_cases.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/extract/usage_extractor.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"

namespace tokenusage::testing {
namespace {

void CheckRecords(const absl::StatusOr<Extraction>& extraction) {
  if (!extraction.ok()) {
    if (extraction.status().code() != absl::StatusCode::kInvalidArgument) {
      FuzzFail("another error: " + extraction.status().ToString());
    }
    return;
  }
  if (extraction->records.empty()) FuzzFail("no record");
  for (v1::UsageRecord record : extraction->records) {
    const UsageCounts counts = CountRecord(record);
    if (counts.measures().empty() != counts.unknown()) {
      FuzzFail("a usage without counts: " + record.DebugString());
    }
    // Sets what extraction leaves to the reporter, and replaces the model: a
    // provider's text may break the rules.
    record.set_model("m");
    record.mutable_event_time()->set_seconds(1'700'000'000);
    if (record.record_id().empty()) record.set_record_id("r");
    if (const auto error = CheckRecord(record, CountRecord(record))) {
      FuzzFail("no record: " + error->DebugString());
    }
  }
}

}  // namespace

// Returns a body and a stream for each dialect. They mix the members of several
// dialects, some of which find a usage in them.
std::vector<std::string> SeedInputs() {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < Dialects().size(); ++i) {
    const std::string header = {static_cast<char>(i), '\7'};
    inputs.push_back(
        header + R"({"id":"a","model":"m","usage":{"prompt_tokens":1,)"
                 R"("completion_tokens":2,"total_tokens":3,"input_tokens":1,)"
                 R"("output_tokens":2}})");
    inputs.push_back(
        header +
        "data: {\"type\":\"message_start\",\"message\":{\"usage\":"
        "{\"input_tokens\":1,\"output_tokens\":2}}}\n\n"
        "data: {\"usageMetadata\":{\"promptTokenCount\":1,"
        "\"totalTokenCount\":3}}\r\n\r\n{\"done\":true,\"eval_count\":3}\n"
        "data: {\"response\":{\"id\":\"a\",\"usage\":{\"total_tokens\":9}}}\n"
        "\ndata: [DONE]\n\n");
  }
  return inputs;
}

}  // namespace tokenusage::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  if (size < 2) return 0;
  const tokenusage::Dialect& dialect =
      tokenusage::Dialects()[data[0] % tokenusage::Dialects().size()];
  const std::string_view text = testing::AsText(data + 2, size - 2);

  testing::CheckRecords(tokenusage::UsageExtractor(dialect).Extract(text));
  const auto whole = testing::ExtractStream(dialect, text, text.size());
  testing::CheckRecords(whole);
  const auto chunks =
      testing::ExtractStream(dialect, text, std::size_t{data[1]} % 64 + 1);
  if (testing::Describe(chunks) != testing::Describe(whole)) {
    testing::FuzzFail("chunks differ: " + testing::Describe(chunks) +
                      "\nwhole: " + testing::Describe(whole));
  }
  return 0;
}
