// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/writer.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/table/sql.h"

namespace tokenusage {
namespace {

// A name that no project can have. Random bytes cannot be compressed, so the
// table must grow.
constexpr char kProbeProject[] = "!probe";
constexpr std::size_t kProbeBytes = 256 << 10;

// The number of failing projects to remember, and to probe.
constexpr std::size_t kMaxFailing = 16;

}  // namespace

PostgresWriter::PostgresWriter(const PostgresTarget& target, Limits limits)
    : limits_(std::move(limits)),
      pool_(target, limits_.threads),
      appender_(&pool_, limits_.rollups),
      queue_(limits_.max_queued_bytes, limits_.max_records_per_commit) {
  for (int i = 0; i < limits_.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

PostgresWriter::~PostgresWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PostgresWriter::Append(const std::string& project,
                            std::shared_ptr<const CheckedBatch> batch,
                            CallLimits limits, AppendCallback done) {
  const FairQueue<Request>::Cost cost = {
      batch->memory_bytes(), static_cast<std::int64_t>(batch->size())};
  Request request{std::move(batch), std::move(limits), std::move(done)};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.TryPush(project, cost, std::move(request))) {
      changed_.notify_one();
      return;
    }
  }
  // TryPush left it as it was.
  // NOLINTNEXTLINE(bugprone-use-after-move)
  request.done(absl::ResourceExhaustedError(
      "too many records are waiting to be stored; send them again later"));
}

void PostgresWriter::Run() {
  for (;;) {
    std::string project;
    Group group = TakeGroup(&project);
    if (group.empty()) return;
    group = AnswerExpired(std::move(group));
    if (!group.empty()) CommitGroup(project, std::move(group));
  }
}

PostgresWriter::Group PostgresWriter::AnswerExpired(Group group) {
  const absl::Time now = absl::Now();
  const auto expired =
      std::remove_if(group.begin(), group.end(), [now](Request& request) {
        const absl::Status status = CheckLimits(request.limits, now);
        if (!status.ok()) request.done(status);
        return !status.ok();
      });
  group.erase(expired, group.end());
  return group;
}

PostgresWriter::Group PostgresWriter::TakeGroup(std::string* project) {
  Group group;
  std::int64_t records = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  if (queue_.empty()) return group;
  *project = queue_.NextKey();
  while (!queue_.empty() && queue_.NextKey() == *project) {
    records += queue_.NextWork();
    if (!group.empty() && records > limits_.max_records_per_commit) break;
    group.push_back(queue_.Pop());
  }
  if (!queue_.empty()) changed_.notify_one();
  return group;
}

void PostgresWriter::CommitGroup(const std::string& project, Group group) {
  std::vector<const CheckedRecord*> records;
  for (const Request& request : group) {
    for (const CheckedRecord& record : *request.batch) {
      records.push_back(&record);
    }
  }
  const absl::Time start = absl::Now();
  // Retries for a project whose worker is down would delay those of others.
  absl::StatusOr<std::vector<AppendOutcome>> outcomes =
      appender_.Append(project, records, /*retry=*/!IsFailing(project));
  NoteOutcome(project, outcomes.status());
  if (outcomes.ok() && limits_.on_commit) {
    limits_.on_commit(absl::Now() - start);
  }
  if (absl::IsDataLoss(outcomes.status()) && group.size() > 1) {
    // Fail only the batches that meet the damage.
    for (Request& request : group) {
      Group alone;
      alone.push_back(std::move(request));
      CommitGroup(project, std::move(alone));
    }
    return;
  }
  auto next = outcomes.ok() ? outcomes->begin()
                            : std::vector<AppendOutcome>::iterator();
  for (Request& request : group) {
    if (!outcomes.ok()) {
      request.done(outcomes.status());
      continue;
    }
    const auto end = next + static_cast<std::ptrdiff_t>(request.batch->size());
    request.done(std::vector<AppendOutcome>(next, end));
    next = end;
  }
}

bool PostgresWriter::IsFailing(const std::string& project) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failing_.count(project) != 0;
}

void PostgresWriter::NoteOutcome(const std::string& project,
                                 const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!absl::IsUnavailable(status)) {
    failing_.erase(project);
  } else if (failing_.size() < kMaxFailing) {
    failing_.insert(project);
  }
}

absl::Status PostgresWriter::CheckWritable() {
  std::set<std::string> projects;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    projects = failing_;
  }
  if (projects.empty()) projects.insert(kProbeProject);
  for (const std::string& project : projects) {
    const absl::Status status = Probe(project);
    NoteOutcome(project, status);
    TOKENUSAGE_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status PostgresWriter::Probe(const std::string& project) {
  std::mt19937 random(std::random_device{}());
  std::string bytes(kProbeBytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
  const std::string id = absl::StrCat("!probe-", random());
  // The pool rolls back what is not committed.
  return pool_.Run({}, [&](PostgresConnection* connection) {
    connection->Send(postgres_sql::kBegin);
    return connection
        ->Run(PostgresTimeouts::kProbe, postgres_sql::kInsertProbe, project, id,
              bytes)
        .status();
  });
}

StoreStats PostgresWriter::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  StoreStats stats;
  stats.queued_batches = static_cast<std::int64_t>(queue_.size());
  stats.queued_bytes = queue_.space();
  return stats;
}

}  // namespace tokenusage
