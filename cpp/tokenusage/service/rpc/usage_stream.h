// SPDX-License-Identifier: Apache-2.0

// One call of StreamUsage.
//
//   UsageStream::Parts parts;
//   parts.handler = &handler;
//   ...
//   return new UsageStream(context, std::move(parts));  // deletes itself

#ifndef TOKENUSAGE_SERVICE_RPC_USAGE_STREAM_H_
#define TOKENUSAGE_SERVICE_RPC_USAGE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "tokenusage/service/rpc/answer_deadlines.h"
#include "tokenusage/service/rpc/report_handler.h"
#include "tokenusage/service/usage_reporting_options.h"

namespace tokenusage {

// Reads messages while few enough are unanswered, appends them as they arrive,
// and writes the answers in order. Nothing blocks: gRPC, the store and the
// budget call back.
//
// Deletes itself when the call is over. Thread-safe.
class UsageStream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  struct Parts {
    ReportHandler* handler;
    const ServiceLimits* limits;
    AnswerDeadlines* answer_deadlines;
    // Runs a job on a thread that may block.
    std::function<void(std::function<void()>)> run_later;
    // Called just before the stream deletes itself.
    std::function<void(UsageStream*)> on_done;
  };

  // Starts reading. `context` and what `parts` names must outlive the call.
  UsageStream(grpc::CallbackServerContext* context, Parts parts);

  // Stops reading, answers what was read, and ends the call with UNAVAILABLE.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  // A message that was read and is not answered yet.
  struct Message {
    std::int64_t sequence = 0;
    std::size_t bytes = 0;
    std::shared_ptr<Report> report;  // null if it failed before its append
    // The outcome: an error ends the stream when its turn comes.
    bool is_ready = false;
    absl::Status status;
    grpc::ByteBuffer answer;
  };

  // Admits and parses the message that was read last, then appends it. If the
  // budget does not allow one of the two steps, repeats the step later.
  void Take();
  void Append(std::shared_ptr<Report> report, std::int64_t sequence);

  // Parses the message and checks its sequence.
  absl::Status Parse(Report* report, std::int64_t* sequence);
  void OnAppended(std::int64_t sequence,
                  const absl::StatusOr<v1::ReportUsageResponse>& response);
  // Ends the stream with `status` after all earlier answers.
  void FailLast(const absl::Status& status);

  // Does whatever can be done now. Called with mutex_ held.
  void Advance();
  void WriteNext();
  bool MayRead() const;
  void FinishIfOver();

  grpc::CallbackServerContext* const context_;
  const Parts parts_;
  grpc::ByteBuffer request_;        // the message that is read or taken
  std::int64_t last_sequence_ = 0;  // used by the thread that takes a message

  std::mutex mutex_;  // guards all below
  std::deque<Message> messages_;
  std::size_t unanswered_bytes_ = 0;
  int appending_ = 0;     // messages in the store
  bool reading_ = false;  // StartRead is in progress
  bool taking_ = false;   // a message was read and is not appended yet
  std::optional<AnswerDeadlines::Token> writing_;  // StartWrite is in progress
  bool read_all_ = false;      // the caller has finished or disconnected
  bool stop_reading_ = false;  // the stream ends after what was read
  bool draining_ = false;
  bool finished_ = false;
  absl::Status end_status_;  // an error ends the stream at once
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_USAGE_STREAM_H_
