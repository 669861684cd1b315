// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/records.h"

#include <cstdio>

#include "absl/time/clock.h"

namespace tokenusage::load {
namespace {

// The part of an id that Requests writes: the first 32 bits in hexadecimal.
constexpr std::size_t kWrittenDigits = 8;

void WriteDigits(std::uint32_t value, char* digits) {
  for (std::size_t i = kWrittenDigits; i-- > 0; value >>= 4) {
    digits[i] = "0123456789abcdef"[value & 0xF];
  }
}

// The bytes of a varint that Requests writes: enough for 35 bits.
constexpr std::size_t kWrittenVarint = 5;
// The largest varint of kWrittenVarint bytes.
constexpr std::int64_t kWidestVarint = (std::int64_t{1} << 35) - 1;

// Writes a number, padded to kWrittenVarint bytes, which readers accept.
void WriteVarint(std::int64_t value, char* bytes) {
  for (std::size_t i = 0; i < kWrittenVarint; ++i, value >>= 7) {
    const int more = i + 1 < kWrittenVarint ? 0x80 : 0;
    bytes[i] = static_cast<char>((value & 0x7F) | more);
  }
}

// Overwrites a Timestamp whose two fields have kWrittenVarint bytes each.
void WriteTime(std::int64_t nanos, char* timestamp) {
  WriteVarint(nanos / 1'000'000'000, timestamp + 1);
  WriteVarint(nanos % 1'000'000'000, timestamp + 1 + kWrittenVarint + 1);
}

// Scatters consecutive numbers (splitmix64).
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

RecordSource::RecordSource(Ids ids, Usage usage, std::uint64_t seed,
                           std::int64_t start_nanos, std::int64_t step_nanos)
    : ids_(ids),
      usage_(usage),
      random_(seed),
      step_nanos_(step_nanos),
      last_nanos_(start_nanos != 0 ? start_nanos
                                   : absl::GetCurrentTimeNanos()) {}

std::string RecordSource::NextId() {
  std::uint64_t high = random_();
  const std::uint64_t low =
      (random_() & 0x3FFF'FFFF'FFFF'FFFF) | 0x8000'0000'0000'0000;
  if (ids_ == Ids::kOrdered) {
    // 48 bits of milliseconds, and 12 of the time within one.
    const auto nanos = static_cast<std::uint64_t>(last_nanos_);
    high = (nanos / 1'000'000 << 16) | 0x7000 | (nanos % 1'000'000 >> 8);
  } else {
    high = (high & ~std::uint64_t{0xF000}) | 0x4000;
  }
  char text[37];
  std::snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned int>(high >> 32),
                static_cast<unsigned int>(high >> 16 & 0xFFFF),
                static_cast<unsigned int>(high & 0xFFFF),
                static_cast<unsigned int>(low >> 48),
                static_cast<unsigned long long>(low & 0xFFFF'FFFF'FFFF));
  return text;
}

// Two decimals, as in the counts of the providers.
double RecordSource::Tokens() {
  return static_cast<double>(random_() % 1'000'000) / 100;
}

std::int64_t RecordSource::WholeTokens() {
  return static_cast<std::int64_t>(random_() % 10'000);
}

void RecordSource::SetImages(int series, v1::UsageRecord* record) {
  const auto fill = [this](auto* usage) {
    usage->set_total_tokens(Tokens());
    usage->set_input_tokens(Tokens());
    usage->set_output_tokens(Tokens());
    usage->mutable_input_tokens_details()->set_text_tokens(Tokens());
    usage->mutable_input_tokens_details()->set_image_tokens(Tokens());
  };
  if (series % 2 == 0) {
    fill(record->mutable_orq_images_edits());
  } else {
    fill(record->mutable_orq_images_variations());
  }
}

// Consistent, as nearly all usage is.
void RecordSource::SetChat(v1::UsageRecord* record) {
  auto* usage = record->mutable_openai_chat();
  auto* in = usage->mutable_prompt_tokens_details();
  auto* out = usage->mutable_completion_tokens_details();
  in->set_cached_tokens(WholeTokens());
  in->set_cache_write_tokens(WholeTokens());
  in->set_text_tokens(in->cached_tokens() + in->cache_write_tokens());
  in->set_audio_tokens(WholeTokens());
  out->set_reasoning_tokens(WholeTokens());
  out->set_accepted_prediction_tokens(WholeTokens());
  out->set_rejected_prediction_tokens(WholeTokens());
  out->set_text_tokens(out->reasoning_tokens() +
                       out->accepted_prediction_tokens() +
                       out->rejected_prediction_tokens());
  out->set_audio_tokens(WholeTokens());
  usage->set_prompt_tokens(in->text_tokens() + in->audio_tokens());
  usage->set_completion_tokens(out->text_tokens() + out->audio_tokens());
  usage->set_total_tokens(usage->prompt_tokens() + usage->completion_tokens());
}

void RecordSource::SetMixed(int series, v1::UsageRecord* record) {
  if (series % 4 < 2) {
    SetChat(record);
    auto* usage = record->mutable_openai_chat();
    usage->mutable_completion_tokens_details()
        ->clear_accepted_prediction_tokens();
    usage->mutable_completion_tokens_details()
        ->clear_rejected_prediction_tokens();
    if (series % 4 == 0) {
      usage->mutable_prompt_tokens_details()->clear_audio_tokens();
      usage->mutable_completion_tokens_details()->clear_audio_tokens();
    } else {
      usage->mutable_prompt_tokens_details()->clear_cached_tokens();
      usage->mutable_prompt_tokens_details()->clear_cache_write_tokens();
    }
    return;
  }
  auto* usage = record->mutable_token_usage();
  usage->set_output_text_tokens(Tokens());
  usage->set_input_text_tokens(Tokens());
  usage->set_input_image_tokens(Tokens());
  usage->set_input_tokens(20'000);
  usage->set_output_tokens(10'000);
  usage->set_total_tokens(30'000);
  usage->set_cost_usd(static_cast<double>(random_() % 1'000'000'000) / 1e9);
  if (series % 4 == 2) {
    usage->set_web_search_requests(3);
  } else {
    usage->set_images(1);
  }
}

v1::UsageRecord RecordSource::Next() {
  last_nanos_ += step_nanos_;
  v1::UsageRecord record;
  record.set_record_id(NextId());
  record.mutable_event_time()->set_seconds(last_nanos_ / 1'000'000'000);
  record.mutable_event_time()->set_nanos(
      static_cast<std::int32_t>(last_nanos_ % 1'000'000'000));
  const auto series = static_cast<int>(random_() % kSeries);
  record.set_operation(series % 2 == 0 ? "images.edits" : "images.variations");
  record.set_provider("openai");
  record.set_model("gpt-image-" + std::to_string(series / 2));
  (*record.mutable_labels())["team"] = "team-" + std::to_string(random_() % 8);
  if (customers_ > 0) {
    (*record.mutable_labels())["customer"] =
        "customer-" +
        std::to_string(random_() % static_cast<std::uint64_t>(customers_));
  }
  switch (usage_) {
    case Usage::kImages:
      SetImages(series, &record);
      break;
    case Usage::kChat:
      SetChat(&record);
      break;
    case Usage::kMixed:
      SetMixed(series, &record);
      break;
  }
  return record;
}

v1::ReportUsageRequest RecordSource::Batch(int records,
                                           const std::string& project) {
  v1::ReportUsageRequest request;
  request.set_project(project);
  for (int i = 0; i < records; ++i) *request.add_records() = Next();
  return request;
}

grpc::ByteBuffer ToBytes(const ::google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

Requests::Requests(Ids ids, Times times, RecordSource source, int records,
                   int batches, const std::string& project)
    : ids_(ids), batches_(static_cast<std::size_t>(batches)) {
  for (Batch& batch : batches_) {
    v1::ReportUsageRequest request = source.Batch(records, project);
    if (times == Times::kNow) {
      // Reserves the bytes of any time.
      for (v1::UsageRecord& record : *request.mutable_records()) {
        record.mutable_event_time()->set_seconds(kWidestVarint);
        record.mutable_event_time()->set_nanos(999'999'999);
      }
    }
    batch.bytes = request.SerializeAsString();
    std::size_t at = 0;
    for (const v1::UsageRecord& record : request.records()) {
      at = batch.bytes.find(record.record_id(), at);
      batch.ids.push_back(at);
      if (times == Times::kOfSource) continue;
      at = batch.bytes.find(record.event_time().SerializeAsString(), at);
      batch.times.push_back(at);
    }
  }
}

grpc::ByteBuffer Requests::Next() {
  const std::uint64_t count = count_++;
  const Batch& batch = batches_[count % batches_.size()];
  grpc::Slice slice(batch.bytes);
  // No other thread has this slice yet.
  char* bytes =
      reinterpret_cast<char*>(const_cast<std::uint8_t*>(slice.begin()));
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    const std::uint64_t value =
        ids_ == Ids::kOrdered ? count : Mix(count * batch.ids.size() + i);
    WriteDigits(static_cast<std::uint32_t>(value), bytes + batch.ids[i]);
  }
  const std::int64_t now = absl::GetCurrentTimeNanos();
  for (std::size_t i = 0; i < batch.times.size(); ++i) {
    WriteTime(now + static_cast<std::int64_t>(i), bytes + batch.times[i]);
  }
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace tokenusage::load
