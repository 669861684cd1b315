// SPDX-License-Identifier: Apache-2.0

// One call of StreamUsage.

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

// Reads messages while few enough wait for their answers, appends them as they
// come, and writes the answers in order. Nothing blocks: gRPC, the store and
// the budget call back.
//
// Deletes itself when the call is over. Thread-safe.
class UsageStream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  struct Parts {
    ReportHandler* handler;
    const UsageReportingServiceOptions* options;
    AnswerDeadlines* answer_deadlines;
    // Runs a job on a thread that may take its time over it.
    std::function<void(std::function<void()>)> run_later;
    // Called as the last thing before the stream deletes itself.
    std::function<void(UsageStream*)> on_done;
  };

  // Starts to read. `context` and what `parts` names must outlive the call.
  UsageStream(grpc::CallbackServerContext* context, Parts parts);

  // Reads no more, answers what was read, and ends the call with UNAVAILABLE.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  // A message that was read, and has not been answered.
  struct Message {
    std::int64_t sequence = 0;
    std::size_t bytes = 0;
    std::shared_ptr<Report> report;  // null once it is answered
    // How it ended: an error ends the stream when its turn comes.
    bool is_ready = false;
    absl::Status status;
    grpc::ByteBuffer answer;
  };

  // The steps of the message that was read last, each once the budget allows.
  void Take();
  void Append(std::shared_ptr<Report> report, std::int64_t sequence);

  // Parses the message and checks its sequence.
  absl::Status Parse(Report* report, std::int64_t* sequence);
  void OnAppended(std::int64_t sequence,
                  const absl::StatusOr<v1::ReportUsageResponse>& response);
  // Ends the stream with `status` after all answers before.
  void FailLast(const absl::Status& status);

  // Does whatever can be done now. Called with mutex_ held.
  void Advance();
  void WriteNext();
  bool MayRead() const;
  void FinishIfOver();

  grpc::CallbackServerContext* const context_;
  const Parts parts_;
  grpc::ByteBuffer request_;        // of the read that is under way
  std::int64_t last_sequence_ = 0;  // of the thread that takes a message

  std::mutex mutex_;  // guards all below
  std::deque<Message> messages_;
  std::size_t unanswered_bytes_ = 0;
  int appending_ = 0;     // messages that the store has
  bool reading_ = false;  // StartRead is under way
  bool taking_ = false;   // a message was read and is not appended yet
  std::optional<AnswerDeadlines::Token> writing_;  // StartWrite is under way
  bool read_all_ = false;      // the caller sends no more, or has gone
  bool stop_reading_ = false;  // the stream ends after what was read
  bool draining_ = false;
  bool finished_ = false;
  absl::Status end_status_;  // an error ends the stream at once
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_USAGE_STREAM_H_
