// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/store/postgres/removal_steps.h"
#include "tokenusage/store/postgres/rollups.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

constexpr absl::Duration kStepTime = absl::Minutes(10);
constexpr std::int64_t kHourSeconds = kNanosPerHour / kNanosPerSecond;
constexpr std::int64_t kQuarterSeconds = kNanosPerQuarter / kNanosPerSecond;

constexpr const char* kMeasures[] = {"total_tokens", "input_tokens",
                                     "output_tokens", "input_text_tokens",
                                     "input_image_tokens"};

using Cells = std::map<PostgresCells::Key, UsageSum>;

std::int64_t EventTimeOf(const v1::UsageRecord& record) {
  return record.event_time().seconds() * kNanosPerSecond +
         record.event_time().nanos();
}

std::string TextOf(const std::optional<TokenAmount>& amount) {
  return amount ? amount->ToDecimal() : "none";
}

// One project's check.
class CheckRun {
 public:
  CheckRun(PostgresConnection* connection, const std::string& project,
           const CheckOptions& options, CheckReport* report)
      : connection_(*connection),
        project_(project),
        options_(options),
        report_(*report) {}

  absl::Status Run();

 private:
  absl::StatusOr<std::vector<PostgresResult>> Sync() {
    return connection_.Sync(absl::Now() + kStepTime);
  }
  PostgresParams ParamsOf(std::int64_t a, std::int64_t b) const;

  // Compares the records of a window with their cells.
  absl::Status CheckChunk(TimeWindow chunk);
  // What is wrong with a record; empty where nothing is.
  std::string FaultOf(const PostgresResult& row, PostgresCells* expected);
  // Hours before the horizon against their quarters: of records there are none.
  absl::Status CheckHoursBefore(std::int64_t horizon_seconds);

  // Adds the cells of one size in a window of seconds.
  absl::Status ReadCells(std::int64_t cell_seconds, TimeWindow seconds,
                         Cells* cells);
  void Compare(const Cells& expected, const Cells& found);
  void CompareCell(const PostgresCells::Key& key, const UsageSum* expected,
                   const UsageSum* found);
  void Add(CheckProblem problem);

  PostgresConnection& connection_;
  const std::string& project_;
  const CheckOptions& options_;
  CheckReport& report_;
  absl::flat_hash_set<std::string> series_;
  v1::UsageRecord record_;  // kept to use its memory again
};

PostgresParams CheckRun::ParamsOf(std::int64_t a, std::int64_t b) const {
  PostgresParams params;
  params.AddText(project_);
  params.AddInt64(a);
  params.AddInt64(b);
  return params;
}

absl::Status CheckRun::Run() {
  PostgresParams params;
  params.AddText(project_);
  connection_.Send(sql::BeginSnapshot());
  connection_.Send(sql::SelectHorizon());
  connection_.Send(sql::SelectSeries(), params);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                              Sync());
  const std::int64_t horizon =
      results[1].rows() == 0 ? 0 : results[1].Int64(0, 0);
  for (int row = 0; row < results[2].rows(); ++row) {
    series_.insert(
        SeriesKey(SeriesNames{std::string(results[2].Bytes(row, 0)),
                              std::string(results[2].Bytes(row, 1)),
                              std::string(results[2].Bytes(row, 2))}));
  }
  params.AddInt64(horizon * kNanosPerSecond);
  connection_.Send(sql::CountRecordsBefore(), params);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> left_over,
                              Sync());
  report_.left_over_count += left_over[0].Int64(0, 0);
  TOKENUSAGE_RETURN_IF_ERROR(CheckHoursBefore(horizon));
  return ForEachChunk(&connection_, project_, horizon * kNanosPerSecond,
                      options_.limits,
                      [this](TimeWindow chunk) { return CheckChunk(chunk); });
}

absl::Status CheckRun::CheckHoursBefore(std::int64_t horizon_seconds) {
  // A year at a time, so that memory is bounded.
  constexpr std::int64_t kStep = kHourSeconds * 24 * 366;
  for (std::int64_t from = 0; from < horizon_seconds; from += kStep) {
    const TimeWindow seconds = {from, std::min(horizon_seconds, from + kStep)};
    Cells quarters;
    Cells hours;
    TOKENUSAGE_RETURN_IF_ERROR(ReadCells(kQuarterSeconds, seconds, &quarters));
    TOKENUSAGE_RETURN_IF_ERROR(ReadCells(kHourSeconds, seconds, &hours));
    Compare(HoursOfQuarters(quarters), hours);
  }
  return absl::OkStatus();
}

absl::Status CheckRun::CheckChunk(TimeWindow chunk) {
  PostgresCells expected;
  TOKENUSAGE_RETURN_IF_ERROR(connection_.Stream(
      sql::CheckRecords(), ParamsOf(chunk.start_nanos, chunk.end_nanos),
      options_.limits, [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        ++report_.record_count;
        const std::string fault = FaultOf(row, &expected);
        if (fault.empty()) return true;
        CheckProblem problem;
        problem.kind = CheckProblem::Kind::kRecord;
        problem.project = project_;
        problem.detail =
            absl::StrCat("record ", ToAbsl(row.Bytes(0, 1)), ": ", fault);
        Add(std::move(problem));
        return true;
      }));
  const TimeWindow seconds = {chunk.start_nanos / kNanosPerSecond,
                              chunk.end_nanos / kNanosPerSecond};
  Cells found;
  TOKENUSAGE_RETURN_IF_ERROR(ReadCells(kQuarterSeconds, seconds, &found));
  TOKENUSAGE_RETURN_IF_ERROR(ReadCells(kHourSeconds, seconds, &found));
  report_.cell_count += static_cast<std::int64_t>(found.size());
  Compare(expected.All(), found);
  return absl::OkStatus();
}

std::string CheckRun::FaultOf(const PostgresResult& row,
                              PostgresCells* expected) {
  const std::string_view bytes = row.Bytes(0, 2);
  if (!record_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return "it cannot be read";
  }
  if (row.Bytes(0, 1) != record_.record_id()) {
    return absl::StrCat("its record_id is ", record_.record_id());
  }
  const std::int64_t time = row.Int64(0, 0);
  if (time != EventTimeOf(record_)) {
    return absl::StrCat("its event_time is ", EventTimeOf(record_),
                        " ns, but it is stored under ", time);
  }
  if (!series_.contains(SeriesKey(record_))) {
    return "its operation, provider and model are no series of its project";
  }
  expected->Add(record_, time, CountsOf(record_));
  return "";
}

absl::Status CheckRun::ReadCells(std::int64_t cell_seconds, TimeWindow seconds,
                                 Cells* cells) {
  PostgresParams params;
  params.AddText(project_);
  params.AddInt64(cell_seconds);
  params.AddInt64(seconds.start_nanos);
  params.AddInt64(seconds.end_nanos);
  return connection_.Stream(
      sql::SelectCells(), params, options_.limits,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        PostgresCells::Key key(
            cell_seconds, row.Int64(0, 0),
            PostgresCells::Names(row.Bytes(0, 1), row.Bytes(0, 2),
                                 row.Bytes(0, 3)));
        TOKENUSAGE_ASSIGN_OR_RETURN(const UsageSum sum,
                                    ReadPostgresSum(connection_, row, 0, 4));
        cells->emplace(std::move(key), sum);
        return true;
      });
}

void CheckRun::Compare(const Cells& expected, const Cells& found) {
  for (const auto& [key, sum] : found) {
    const auto other = expected.find(key);
    CompareCell(key, other == expected.end() ? nullptr : &other->second, &sum);
  }
  for (const auto& [key, sum] : expected) {
    if (found.count(key) == 0) CompareCell(key, &sum, nullptr);
  }
}

void CheckRun::CompareCell(const PostgresCells::Key& key,
                           const UsageSum* expected, const UsageSum* found) {
  const auto& [cell_seconds, start, names] = key;
  CheckProblem problem;
  problem.kind = CheckProblem::Kind::kTotal;
  problem.project = project_;
  std::tie(problem.operation, problem.provider, problem.model) = names;
  problem.cell = {start * kNanosPerSecond,
                  (start + cell_seconds) * kNanosPerSecond};
  const auto add = [&](const char* measure, std::string right,
                       std::string wrong) {
    problem.measure = measure;
    problem.expected = std::move(right);
    problem.found = std::move(wrong);
    Add(problem);
  };
  const auto count = [](const UsageSum* sum) {
    return sum == nullptr ? "none" : std::to_string(sum->record_count);
  };
  if (count(expected) != count(found)) {
    add("record_count", count(expected), count(found));
  }
  if (expected == nullptr || found == nullptr) return;
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const auto& right = expected->counts[kTokenMeasures[i]];
    const auto& wrong = found->counts[kTokenMeasures[i]];
    if (right != wrong) add(kMeasures[i], TextOf(right), TextOf(wrong));
  }
}

void CheckRun::Add(CheckProblem problem) {
  ++report_.problem_count;
  if (static_cast<int>(report_.problems.size()) < options_.max_problems) {
    report_.problems.push_back(std::move(problem));
  }
}

}  // namespace

absl::Status CheckPostgresProject(PostgresConnection* connection,
                                  const std::string& project,
                                  const CheckOptions& options,
                                  CheckReport* report) {
  return CheckRun(connection, project, options, report).Run();
}

}  // namespace tokenusage
