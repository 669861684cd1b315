// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/usage_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/grpc_request.h"
#include "tokenusage/service/rpc/store_errors.h"

namespace tokenusage {
namespace {

absl::Status SequenceError(std::int64_t expected, std::int64_t found) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "SEQUENCE_INVALID",
      absl::StrCat("sequence: expected ", expected, ", found ", found,
                   "; nothing of the message was stored"),
      {{"field", "sequence"},
       {"expected", absl::StrCat(expected)},
       {"actual", absl::StrCat(found)}});
}

// Converts an error to one for streams, which have no pushback: callers do not
// retry RESOURCE_EXHAUSTED without one.
absl::Status ForStream(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return ErrorWithInfo(absl::StatusCode::kUnavailable, "STORE_FAILED",
                       "the server's store is overloaded: later, send again "
                       "what was not answered");
}

}  // namespace

UsageStream::UsageStream(grpc::CallbackServerContext* context, Parts parts)
    : context_(context), parts_(std::move(parts)) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Advance();
}

void UsageStream::Drain() {
  const std::lock_guard<std::mutex> lock(mutex_);
  draining_ = true;
  Advance();
}

void UsageStream::OnReadDone(bool ok) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    reading_ = false;
    // A message that arrives while the call ends gets no answer, as if it had
    // not been read.
    taking_ = ok && !finished_;
    if (!ok) read_all_ = true;
    if (!taking_) return Advance();
  }
  Take();
}

void UsageStream::Take() {
  std::shared_ptr<Report> report = parts_.handler->Admit(
      request_.Length(), [this] { parts_.run_later([this] { Take(); }); });
  if (report == nullptr) return;
  std::int64_t sequence = 0;
  const absl::Status status = Parse(report.get(), &sequence);
  if (!status.ok()) return FailLast(status);
  Append(std::move(report), sequence);
}

absl::Status UsageStream::Parse(Report* report, std::int64_t* sequence) {
  BinaryRequest message(request_);
  TOKENUSAGE_ASSIGN_OR_RETURN(const v1::StreamUsageRequest* request,
                              parts_.handler->Parse<v1::StreamUsageRequest>(
                                  OriginOf(*context_), &message, report));
  *sequence = request->sequence();
  if (*sequence != last_sequence_ + 1) {
    return SequenceError(last_sequence_ + 1, *sequence);
  }
  last_sequence_ = *sequence;
  return absl::OkStatus();
}

void UsageStream::FailLast(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Message& message = messages_.emplace_back();
  message.is_ready = true;
  message.status = status;
  stop_reading_ = true;
  taking_ = false;
  Advance();
}

void UsageStream::Append(std::shared_ptr<Report> report,
                         std::int64_t sequence) {
  const bool has_room = report->share.TryAssign(report->project, [this, report,
                                                                  sequence] {
    parts_.run_later([this, report, sequence] { Append(report, sequence); });
  });
  if (!has_room) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Message& message = messages_.emplace_back();
    message.sequence = sequence;
    message.bytes = request_.Length();
    message.report = report;
    unanswered_bytes_ += message.bytes;
    request_.Clear();
    ++appending_;
  }
  parts_.handler->Append(
      std::move(report), LimitsOf(*context_),
      [this,
       sequence](const absl::StatusOr<v1::ReportUsageResponse>& response) {
        OnAppended(sequence, response);
      });
  const std::lock_guard<std::mutex> lock(mutex_);
  taking_ = false;
  Advance();
}

void UsageStream::OnAppended(
    std::int64_t sequence,
    const absl::StatusOr<v1::ReportUsageResponse>& response) {
  grpc::ByteBuffer answer;
  if (response.ok()) {
    v1::StreamUsageResponse message;
    message.set_sequence(sequence);
    *message.mutable_report() = *response;
    answer = ToByteBuffer(message);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  --appending_;
  // Messages leave from the front only, and in order of their sequence.
  Message& message = messages_[static_cast<std::size_t>(
      sequence - messages_.front().sequence)];
  message.is_ready = true;
  message.status = ForStream(response.status());
  message.report->HoldAnswer(answer.Length());
  message.answer = answer;
  Advance();
}

void UsageStream::OnWriteDone(bool ok) {
  std::shared_ptr<Report> answered;  // destroyed after the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  parts_.answer_deadlines->Remove(*std::exchange(writing_, std::nullopt));
  answered = std::move(messages_.front().report);
  unanswered_bytes_ -= messages_.front().bytes;
  messages_.pop_front();
  if (!ok) {
    stop_reading_ = true;
    end_status_ = absl::CancelledError("the caller disconnected");
  }
  Advance();
}

void UsageStream::OnDone() {
  // The call may be over before the thread that finished it releases the lock.
  { const std::lock_guard<std::mutex> lock(mutex_); }
  parts_.on_done(this);
  delete this;
}

void UsageStream::Advance() {
  if (finished_) return;
  WriteNext();
  if (MayRead()) {
    reading_ = true;
    StartRead(&request_);
  }
  FinishIfOver();
}

void UsageStream::WriteNext() {
  if (writing_ || !end_status_.ok() || messages_.empty() ||
      !messages_.front().is_ready) {
    return;
  }
  Message& next = messages_.front();
  if (!next.status.ok()) {
    end_status_ = next.status;
    stop_reading_ = true;
    return;
  }
  writing_ = parts_.answer_deadlines->Add(context_);
  grpc::WriteOptions options;
  // If the next answer is ready, the two may share a packet.
  if (messages_.size() > 1 && messages_[1].is_ready) options.set_buffer_hint();
  StartWrite(&next.answer, options);
}

bool UsageStream::MayRead() const {
  return !reading_ && !taking_ && !read_all_ && !stop_reading_ && !draining_ &&
         messages_.size() < parts_.limits->max_unanswered_messages &&
         unanswered_bytes_ < parts_.limits->max_unanswered_bytes;
}

void UsageStream::FinishIfOver() {
  // The store and the budget hold this stream until they have called back.
  if (appending_ > 0 || taking_ || writing_) return;
  if (end_status_.ok()) {
    if (!messages_.empty()) return;
    if (!read_all_ && !draining_) return;
    if (!read_all_) end_status_ = DrainingError();
  }
  finished_ = true;
  Finish(ToGrpcStatus(end_status_));
}

}  // namespace tokenusage
