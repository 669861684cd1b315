// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/sender.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/retry_delay.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace {

// The longest pushback that is honored.
constexpr absl::Duration kMaxPushback = absl::Minutes(10);

// Returns whether the answer is about `count` records. If not, the call is
// treated as failed.
bool IsAnswerFor(int count, const v1::ReportUsageResponse& response) {
  std::int64_t answered = response.errors_size();
  answered += response.stored_count();
  answered += response.duplicate_count();
  if (answered != count || response.stored_count() < 0 ||
      response.duplicate_count() < 0) {
    return false;
  }
  int next = 0;
  for (const v1::RecordError& error : response.errors()) {
    if (error.index() < next || error.index() >= count) return false;
    next = error.index() + 1;
  }
  return true;
}

}  // namespace

bool IsRefusedBatch(const ReportResult& result) {
  if (result.pushback.has_value()) return false;
  switch (result.status.code()) {
    case absl::StatusCode::kInvalidArgument:
      // The cause is not in the records.
      return result.reason != "PROJECT_INVALID";
    case absl::StatusCode::kResourceExhausted:
      return result.reason.empty();
    default:
      return false;
  }
}

void Sender::Run() {
  int failures = 0;
  while (true) {
    const absl::StatusOr<Batch> batch = backlog_->Take();
    if (absl::IsCancelled(batch.status())) return;
    if (!batch.ok()) {
      OnFailedCall(batch.status());
      if (!WaitToRetry(failures++, absl::ZeroDuration())) return;
      continue;
    }
    failures = 0;
    if (batch->count > 0 && !Deliver(*batch)) return;
    const absl::Status finished = backlog_->Finish(*batch);
    if (!finished.ok() && options_.log) {
      options_.log(
          absl::StrCat("answered records may be sent again after a restart: ",
                       finished.message()));
    }
  }
}

bool Sender::Deliver(const Batch& batch) {
  const std::string request = EncodeRequest(options_.project, batch);
  for (int failures = 0;; ++failures) {
    const bool was_oldest = backlog_->IsOldest(batch);
    ReportResult result = transport_->Report(request, options_.call_timeout);
    if (result.status.ok()) {
      if (IsAnswerFor(batch.count, result.response)) {
        OnAnswer();
        return Accept(batch, result.response, was_oldest);
      }
      result.status = absl::InternalError(
          "the answer does not match the records that were sent");
    } else if (IsRefusedBatch(result)) {
      OnAnswer();
      if (batch.count > 1) return DeliverHalves(batch);
      v1::RecordError error;
      error.set_message(absl::StrCat(result.reason,
                                     result.reason.empty() ? "" : ": ",
                                     result.status.message()));
      return Refuse(RecordsOf(batch).front(), error);
    }
    OnFailedCall(result.status);
    const absl::Duration pushback =
        std::min(result.pushback.value_or(absl::ZeroDuration()), kMaxPushback);
    if (!WaitToRetry(failures, pushback)) return false;
  }
}

bool Sender::DeliverHalves(const Batch& batch) {
  Batch halves[2];
  for (Batch& half : halves) half.last = batch.last;
  for (const std::string_view record : RecordsOf(batch)) {
    AppendRecord(record, &halves[halves[0].count < batch.count / 2 ? 0 : 1]);
  }
  return Deliver(halves[0]) && Deliver(halves[1]);
}

// Handles the answer about a batch. `was_oldest` says whether all earlier
// batches were finished before the call.
bool Sender::Accept(const Batch& batch, const v1::ReportUsageResponse& response,
                    bool was_oldest) {
  {
    const std::lock_guard lock(mutex_);
    counters_.stored += response.stored_count();
    counters_.duplicates += response.duplicate_count();
  }
  if (response.errors().empty()) return true;
  const std::vector<std::string_view> records = RecordsOf(batch);
  Batch early;  // corrections that may have overtaken what they correct
  early.last = batch.last;
  for (const v1::RecordError& error : response.errors()) {
    const auto record = records[static_cast<std::size_t>(error.index())];
    if (!was_oldest &&
        error.reason() == v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND) {
      AppendRecord(record, &early);
    } else if (!Refuse(record, error)) {
      return false;
    }
  }
  return early.count == 0 ||
         (backlog_->WaitUntilOldest(early) && Deliver(early));
}

bool Sender::Refuse(std::string_view record, const v1::RecordError& error) {
  bool is_kept = refused_ != nullptr;
  for (int failures = 0; refused_ != nullptr; ++failures) {
    const absl::StatusOr<bool> kept =
        refused_->Append(record, error, options_.clock->Now());
    if (kept.ok()) {
      is_kept = *kept;
      break;
    }
    // The record must not be forgotten because the disk is full for a while.
    OnFailedCall(kept.status());
    if (!WaitToRetry(failures, absl::ZeroDuration())) return false;
  }
  {
    const std::lock_guard lock(mutex_);
    ++counters_.refused;
    if (!is_kept) ++counters_.unkept_refused;
  }
  if (!options_.on_refused) return true;
  v1::UsageRecord parsed;
  static_cast<void>(
      parsed.ParseFromArray(record.data(), static_cast<int>(record.size())));
  v1::RecordError described = error;
  described.clear_index();
  described.set_record_id(parsed.record_id());
  options_.on_refused(parsed, described);
  return true;
}

void Sender::OnFailedCall(const absl::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return;
    ++counters_.failed_calls;
    if (std::exchange(is_failing_, true)) return;
  }
  if (options_.log) {
    options_.log(absl::StrCat("records cannot be sent, and are kept: ",
                              absl::StatusCodeToString(status.code()), ": ",
                              status.message()));
  }
}

void Sender::OnAnswer() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_failing_, false)) return;
  }
  if (options_.log) options_.log("records can be sent again");
}

// Waits after a failure that follows `failures` others, for at least
// `pushback`. Returns false if the sender was stopped.
bool Sender::WaitToRetry(int failures, absl::Duration pushback) {
  const absl::Duration delay =
      RetryDelay(options_.min_retry_delay, options_.max_retry_delay, failures);
  std::unique_lock lock(mutex_);
  return !options_.clock->WaitUntil(&stop_, &lock, std::max(delay, pushback),
                                    [this] { return is_stopped_; });
}

void Sender::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    stop_.notify_all();
  }
  transport_->Cancel();
}

UsageReporterCounters Sender::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace tokenusage
