// SPDX-License-Identifier: Apache-2.0

// Cancels calls whose callers do not read the answer.
//
//   AnswerDeadlines deadlines(absl::Minutes(1));
//   const AnswerDeadlines::Token token = deadlines.Add(context);
//   reactor->Finish(status);
//   ...
//   deadlines.Remove(token);  // in OnDone
//
// gRPC keeps an answer in memory until the caller makes room for it in its
// HTTP/2 windows, however long that takes.

#ifndef TOKENUSAGE_SERVICE_RPC_ANSWER_DEADLINES_H_
#define TOKENUSAGE_SERVICE_RPC_ANSWER_DEADLINES_H_

#include <functional>
#include <list>
#include <mutex>

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "tokenusage/service/server/repeater.h"

namespace tokenusage {

// Thread-safe.
class AnswerDeadlines {
 private:
  struct Answer {
    absl::Time deadline;
    std::function<void()> cancel;
    bool is_cancelled;
  };

 public:
  using Token = std::list<Answer>::iterator;

  // Gives each answer `limit` to be written. A call is cancelled up to an
  // eighth of `limit` later.
  explicit AnswerDeadlines(absl::Duration limit);

  AnswerDeadlines(const AnswerDeadlines&) = delete;
  AnswerDeadlines& operator=(const AnswerDeadlines&) = delete;

  // Adds an answer that the server begins to write. `cancel` is called at most
  // once, and not after Remove. It may call Remove, by ending the call.
  Token Add(std::function<void()> cancel);

  // Does the same for a gRPC call. `context` must exist until Remove.
  Token Add(grpc::CallbackServerContext* context) {
    return Add([context] { context->TryCancel(); });
  }

  // Removes an answer that has been written, or whose call is over.
  void Remove(Token token);

 private:
  void CancelExpired();

  const absl::Duration limit_;
  std::recursive_mutex mutex_;   // `cancel` may Remove its own answer
  std::list<Answer> answers_;    // guarded by mutex_, as are those below
  std::list<Answer> cancelled_;  // but not over yet
  Repeater thread_;              // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_ANSWER_DEADLINES_H_
