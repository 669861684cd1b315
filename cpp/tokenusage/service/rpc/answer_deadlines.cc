// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/answer_deadlines.h"

#include <utility>

#include "absl/time/clock.h"

namespace tokenusage {

AnswerDeadlines::AnswerDeadlines(absl::Duration limit)
    : limit_(limit), thread_([this] {
        CancelExpired();
        return limit_ / 8;
      }) {}

AnswerDeadlines::Token AnswerDeadlines::Add(std::function<void()> cancel) {
  const absl::Time deadline = absl::Now() + limit_;
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  return answers_.insert(answers_.end(), {deadline, std::move(cancel), false});
}

void AnswerDeadlines::Remove(Token token) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  (token->is_cancelled ? cancelled_ : answers_).erase(token);
}

void AnswerDeadlines::CancelExpired() {
  const absl::Time now = absl::Now();
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  while (!answers_.empty() && answers_.front().deadline <= now) {
    answers_.front().is_cancelled = true;
    cancelled_.splice(cancelled_.end(), answers_, answers_.begin());
    // Moved, since it may erase the answer that holds it.
    const std::function<void()> cancel = std::move(cancelled_.back().cancel);
    cancel();
  }
}

}  // namespace tokenusage
