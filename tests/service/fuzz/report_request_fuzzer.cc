// SPDX-License-Identifier: Apache-2.0

// Fuzzes the path of a ReportUsage request to a store: its bytes, in slices as
// from a transport, are counted, parsed, checked and serialized.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/same_content.h"
#include "tokenusage/service/rpc/grpc_request.h"
#include "tokenusage/usage/amount.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {
namespace testing {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

grpc::ByteBuffer InSlices(std::string_view bytes, std::size_t slice_size) {
  std::vector<grpc::Slice> slices;
  for (std::size_t at = 0; at < bytes.size(); at += slice_size) {
    const std::string_view part = bytes.substr(at, slice_size);
    slices.emplace_back(part.data(), part.size());
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// Checks that a stored record is the reported one, with the time of receipt.
void CheckStored(const CheckedRecord& record) {
  v1::UsageRecord stored;
  if (!stored.ParseFromString(record.bytes())) FuzzFail("is not stored whole");
  if (!SameContent(stored, record.record())) FuzzFail("is stored otherwise");
  if (stored.receive_time().seconds() != absl::ToUnixSeconds(kNow)) {
    FuzzFail("is stored with another receive_time");
  }
  const UsageCounts counts = record.counts();
  counts.ForEach([](v1::UsageMeasure, Amount amount) {
    if (amount < Amount()) FuzzFail("an amount below zero");
  });
  stored.mutable_inconsistencies()->Clear();
  SetInconsistencies(&stored);
  if ((stored.inconsistencies_size() > 0) != counts.inconsistent()) {
    FuzzFail("is marked without a reason, or has one without a mark");
  }
}

void Check(std::string_view bytes, std::size_t slice_size) {
  const grpc::ByteBuffer buffer = InSlices(bytes, slice_size);
  auto batch = std::make_shared<CheckedBatch>(bytes.size());
  auto* request =
      v1::ReportUsageRequest::default_instance().New(batch->arena());
  const bool parsed = BinaryRequest(buffer).Parse(request).ok();
  v1::ReportUsageRequest reference;
  if (parsed !=
      reference.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    FuzzFail("slices are parsed otherwise than bytes in one piece");
  }
  const int counted = BinaryRequest(buffer).CountElements(
      *v1::ReportUsageRequest::descriptor()->FindFieldByName("records"));
  if (!parsed) return;
  if (counted != request->records_size()) {
    FuzzFail(std::to_string(counted) + " records counted, " +
             std::to_string(request->records_size()) + " parsed");
  }
  batch->Check(request->mutable_records(), kNow);
  if (batch->size() + batch->errors().size() !=
      static_cast<std::size_t>(counted)) {
    FuzzFail("a record is neither taken nor refused");
  }
  for (const CheckedRecord& record : *batch) CheckStored(record);
}

v1::UsageRecord Example(const std::string& id) {
  v1::UsageRecord record;
  record.set_record_id(id);
  record.mutable_event_time()->set_seconds(1'799'999'999);
  record.mutable_event_time()->set_nanos(5);
  record.set_operation("images.edits");
  record.set_provider("openai");
  record.set_model("gpt-image-1");
  (*record.mutable_labels())["team"] = "a";
  (*record.mutable_labels())["cost-center"] = "";
  auto* usage = record.mutable_orq_images_edits();
  usage->set_total_tokens(8105.75);
  usage->set_input_tokens(0);
  usage->set_output_tokens(1e15);
  usage->mutable_input_tokens_details()->set_text_tokens(0.1);
  usage->mutable_input_tokens_details()->set_image_tokens(3);
  return record;
}

}  // namespace

std::vector<std::string> SeedInputs() {
  v1::ReportUsageRequest request;
  std::vector<std::string> inputs = {request.SerializeAsString()};
  request.set_project("demo");
  *request.add_records() = Example("a");
  inputs.push_back(request.SerializeAsString());
  *request.add_records() = Example("0191e0a4-0000-7000-8000-000000000000");
  request.mutable_records(1)->mutable_receive_time()->set_seconds(1);
  request.mutable_records(1)->mutable_orq_images_variations()->set_total_tokens(
      -1);
  request.add_records();
  inputs.push_back(request.SerializeAsString());
  // An unknown group, an unknown field, and an end without a beginning.
  inputs.push_back(inputs[1] +
                   std::string("\xf3\x01\x12\x02\x0a\x00\xf4\x01", 8));
  inputs.push_back(inputs[1] + "\xfa\x01\x03xyz");
  inputs.push_back(inputs[1] + "\xf4\x01");
  for (std::string& input : inputs) input.push_back('\x05');
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  // The last byte is the size of the slices, so that the message starts at 0.
  if (size == 0) return 0;
  const std::size_t slice_size = std::max<std::size_t>(data[size - 1], 1);
  tokenusage::testing::Check(tokenusage::testing::AsText(data, size - 1),
                             slice_size);
  return 0;
}
