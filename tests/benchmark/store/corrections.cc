// SPDX-License-Identifier: Apache-2.0

// Compares corrections with plain records: batches of 1,000, one after the
// other, in each store.
//
//   bazel run -c opt //tests/benchmark/store:corrections
//
// TOKENUSAGE_BENCH_ROUNDS (default 20) is the number of batches of each kind,
// whose best times are compared.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/support/records.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

using Batch = std::vector<v1::UsageRecord>;

constexpr int kRecordsPerBatch = 1000;

// Returns a time-ordered id in the format of UUIDv7.
std::string NextId() {
  static std::uint64_t n = 0;
  ++n;
  return absl::StrFormat("0198%04x-%04x-7000-8000-%012x", (n >> 16) & 0xFFFF,
                         n & 0xFFFF, n);
}

Batch NewRecords() {
  static std::int64_t nanos = Nanos("2026-08-01T12:00:00Z");
  Batch records;
  for (int i = 0; i < kRecordsPerBatch; ++i) {
    records.push_back(ValidRecord(NextId(), nanos += 1'000'000));
    records.back().set_model("model-" + std::to_string(i % 20));
  }
  return records;
}

// Returns records that correct these, with another count or as voids.
Batch CorrectionsOf(const Batch& corrected, bool voids) {
  Batch records = corrected;
  for (v1::UsageRecord& record : records) {
    record.set_corrects(record.record_id());
    record.set_record_id(NextId());
    record.mutable_orq_images_edits()->set_output_tokens(1);
    if (voids) record.clear_usage();
  }
  return records;
}

absl::Duration TimeToAppend(UsageStore* store, const Batch& records) {
  const auto batch = CheckedOf(records);
  const absl::Time start = absl::Now();
  const AppendResult result = store->Append("p", batch);
  const absl::Duration time = absl::Now() - start;
  if (!result.ok() || *result != std::vector<AppendOutcome>(
                                     records.size(), AppendOutcome::kStored)) {
    std::cerr << "not all were stored: " << result.status() << "\n";
    std::exit(1);
  }
  return time;
}

void Measure(const char* name, UsageStore* store) {
  const char* value = std::getenv("TOKENUSAGE_BENCH_ROUNDS");
  const int rounds = value == nullptr ? 20 : std::atoi(value);
  absl::Duration plain = absl::InfiniteDuration();
  absl::Duration correction = plain;
  absl::Duration taken_back = plain;
  for (int round = 0; round < rounds; ++round) {
    const Batch records = NewRecords();
    const Batch corrections = CorrectionsOf(records, /*voids=*/false);
    plain = std::min(plain, TimeToAppend(store, records));
    correction = std::min(correction, TimeToAppend(store, corrections));
    taken_back = std::min(
        taken_back,
        TimeToAppend(store, CorrectionsOf(corrections, /*voids=*/true)));
  }
  std::cout << absl::StrFormat(
      "%s: a plain record %.1f us, a correction %.2f x, a void %.2f x\n", name,
      absl::ToDoubleMicroseconds(plain) / kRecordsPerBatch,
      absl::FDivDuration(correction, plain),
      absl::FDivDuration(taken_back, plain));
}

int Main() {
  std::string folder =
      std::filesystem::temp_directory_path() / "tokenusage_corrections_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return 1;
  Measure("SQLite", OpenSqliteStore(folder + "/usage.db").value().get());
  std::filesystem::remove_all(folder);
  const std::string url = SharedPostgresServer().NewDatabase();
  Measure("PostgreSQL", OpenPostgresStore(url).value().get());
  return 0;
}

}  // namespace
}  // namespace tokenusage::testing

int main() { return tokenusage::testing::Main(); }
