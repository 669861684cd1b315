// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {

std::optional<double> FractionBetween(std::int64_t start, std::int64_t position,
                                      std::int64_t end) {
  if (position <= start) return std::nullopt;
  return static_cast<double>(position - start) /
         static_cast<double>(end - start);
}

std::string FormatProgress(std::string_view unit, std::int64_t done,
                           std::optional<double> fraction,
                           absl::Duration elapsed) {
  std::string line = absl::StrCat(done, " ", ToAbsl(unit));
  if (fraction.has_value()) {
    absl::StrAppendFormat(&line, ", %.0f %%", *fraction * 100);
  }
  const double seconds = absl::ToDoubleSeconds(elapsed);
  // Rates jump in the first second.
  if (seconds < 1) return line;
  absl::StrAppendFormat(&line, ", %.0f/s", static_cast<double>(done) / seconds);
  if (fraction.value_or(0) > 0) {
    const double left = seconds / *fraction - seconds;
    absl::StrAppend(
        &line, ", ",
        absl::FormatDuration(absl::Ceil(absl::Seconds(left), absl::Seconds(1))),
        " left");
  }
  return line;
}

Progress::Progress(std::string_view unit)
    : unit_(unit),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      start_(absl::Now()),
      last_shown_(start_) {}

void Progress::Show(std::int64_t done, std::optional<double> fraction) {
  constexpr absl::Duration kInterval = absl::Milliseconds(200);
  if (!is_terminal_ || absl::Now() - last_shown_ < kInterval) return;
  last_shown_ = absl::Now();
  is_shown_ = true;
  // Returns to the start of the line and clears what was there.
  std::fputs(
      ("\r\x1b[K" + FormatProgress(unit_, done, fraction, last_shown_ - start_))
          .c_str(),
      stderr);
}

void Progress::Clear() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
}

}  // namespace tokenusage
