// SPDX-License-Identifier: Apache-2.0

// Records such as a gateway would report.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_RECORDS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_RECORDS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::load {

enum class Ids { kOrdered, kRandom };  // UUIDv7 and UUIDv4

// Image edits and variations of 5 counts with two decimals, chat completions of
// 12 whole counts, or one of four kinds of 8 counts, depending on the series.
enum class Usage { kImages, kChat, kMixed };

// The number of combinations of operation, provider and model.
inline constexpr int kSeries = 20;

// Makes records that all differ. One thread at a time.
class RecordSource {
 public:
  // Event times start at `start_nanos`, or now if it is 0, and are `step_nanos`
  // apart.
  RecordSource(Ids ids, Usage usage, std::uint64_t seed,
               std::int64_t start_nanos = 0, std::int64_t step_nanos = 1000);

  // Labels each later record with one of this number of customers.
  void set_customers(int customers) { customers_ = customers; }

  v1::UsageRecord Next();
  v1::ReportUsageRequest Batch(int records, const std::string& project);

 private:
  std::string NextId();
  double Tokens();
  std::int64_t WholeTokens();
  void SetImages(int series, v1::UsageRecord* record);
  void SetChat(v1::UsageRecord* record);
  void SetMixed(int series, v1::UsageRecord* record);

  const Ids ids_;
  const Usage usage_;
  std::mt19937_64 random_;
  const std::int64_t step_nanos_;
  std::int64_t last_nanos_;
  int customers_ = 0;
};

grpc::ByteBuffer ToBytes(const ::google::protobuf::MessageLite& message);

enum class Times { kNow, kOfSource };

// An endless supply of serialized requests whose ids all differ. Making a
// record takes longer than serving it, so a few batches are made in advance;
// Next() overwrites the ids, and with kNow the times, in their bytes.
// Thread-safe.
class Requests {
 public:
  Requests(Ids ids, Times times, RecordSource source, int records, int batches,
           const std::string& project);

  grpc::ByteBuffer Next();

 private:
  struct Batch {
    std::string bytes;
    std::vector<std::size_t> ids;    // their offsets
    std::vector<std::size_t> times;  // likewise; none with kOfSource
  };

  const Ids ids_;
  std::vector<Batch> batches_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_RECORDS_H_
