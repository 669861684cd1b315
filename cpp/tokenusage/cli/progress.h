// SPDX-License-Identifier: Apache-2.0

// Shows the progress of a long command on a terminal.
//
//   Progress progress("records");
//   while (...) progress.Show(done, done / total);

#ifndef TOKENUSAGE_CLI_PROGRESS_H_
#define TOKENUSAGE_CLI_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace tokenusage {

// One line of stderr, which is rewritten a few times a second and cleared at
// the end. Writes nothing if stderr is not a terminal. Not thread-safe.
class Progress {
 public:
  // `unit` is the name of the things that are counted, such as "records".
  explicit Progress(std::string_view unit);
  ~Progress() { Clear(); }

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the number that is done and, if known, the fraction.
  void Show(std::int64_t done, std::optional<double> fraction);

  // Clears the line, so that another can be printed.
  void Clear();

 private:
  const std::string unit_;
  const bool is_terminal_;
  const absl::Time start_;
  absl::Time last_shown_;
  bool is_shown_ = false;
};

// Returns the fraction of the way from `start` to `end` that is done at
// `position`; nullopt if nothing is.
std::optional<double> FractionBetween(std::int64_t start, std::int64_t position,
                                      std::int64_t end);

// Returns the line, such as "1200 records, 60 %, 400/s, 2s left".
std::string FormatProgress(std::string_view unit, std::int64_t done,
                           std::optional<double> fraction,
                           absl::Duration elapsed);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_PROGRESS_H_
