// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/retention.h"

#include <algorithm>
#include <ctime>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kInterval = absl::Hours(1);
constexpr absl::Duration kIntervalAfterFailure = absl::Minutes(5);
constexpr absl::Duration kMaxClockJump = absl::Hours(1);
constexpr int kMaxHours = 36'500 * 24;

// Unlike a steady clock, it continues while the machine sleeps.
absl::Duration SinceBoot() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

absl::StatusOr<absl::Duration> ParseRetention(const std::string& text) {
  int count = 0;
  const bool days = !text.empty() && text.back() == 'd';
  const bool hours = !text.empty() && text.back() == 'h';
  const bool has_digits_only =
      text.find_first_not_of("0123456789") + 1 == text.size();
  if ((days || hours) && has_digits_only &&
      absl::SimpleAtoi(text.substr(0, text.size() - 1), &count) && count >= 1 &&
      count <= (days ? kMaxHours / 24 : kMaxHours)) {
    return absl::Hours(days ? 24 * count : count);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "expected days or hours such as 90d or 36h, from 1h to 36500d, "
      "found \"",
      Excerpt(text), "\""));
}

std::optional<absl::Time> RetentionHorizon(absl::Time now,
                                           absl::Time newest_record,
                                           absl::Duration retain) {
  const absl::Time horizon = std::min(now, newest_record) - retain;
  if (horizon < absl::FromUnixSeconds(kMinTimeSeconds)) return {};
  const std::int64_t seconds = absl::ToUnixSeconds(horizon);
  return absl::FromUnixSeconds(seconds - seconds % 3600);
}

Retention::Clocks Retention::SystemClocks() {
  return {[] { return absl::Now(); }, &SinceBoot};
}

Retention::Retention(StoreMaintenance* store,
                     std::optional<absl::Duration> retain, Clocks clocks)
    : store_(*store),
      retain_(retain),
      clocks_(std::move(clocks)),
      start_(Start()) {}

absl::Status Retention::Run(const std::function<bool()>& is_cancelled,
                            Outcome* outcome) {
  const absl::Duration jump = Start() - start_;
  if (jump > kMaxClockJump) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the clock was set forward by ",
        absl::FormatDuration(absl::Trunc(jump, absl::Seconds(1))),
        ": nothing is removed until the service is started again"));
  }
  CallLimits limits;
  limits.is_cancelled = is_cancelled;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectRetention> projects,
                              store_.Retention());
  absl::Status first_error;
  for (const ProjectRetention& project : projects) {
    const absl::Time horizon = HorizonOf(project);
    if (project.oldest >= horizon) continue;
    const absl::StatusOr<Removal> removal =
        store_.RemoveRecordsBefore(project.project, horizon, limits);
    if (absl::IsCancelled(removal.status())) return removal.status();
    // A failure in one project must not stop the removal in the others.
    first_error.Update(removal.status());
    if (!removal.ok() || removal->record_count == 0) continue;
    outcome->record_count += removal->record_count;
    ++outcome->project_count;
  }
  return first_error;
}

absl::Time Retention::HorizonOf(const ProjectRetention& project) const {
  std::optional<absl::Time> wanted;
  if (project.newest == absl::InfinitePast()) return absl::InfinitePast();
  if (project.retain != absl::ZeroDuration()) {
    wanted = RetentionHorizon(clocks_.now(), project.newest, project.retain);
  } else if (retain_) {
    wanted = RetentionHorizon(clocks_.now(), project.newest, *retain_);
  }
  // Never before the current horizon: an interrupted removal must continue.
  return std::max(wanted.value_or(project.horizon), project.horizon);
}

RetentionThread::RetentionThread(StoreMaintenance* store,
                                 std::optional<absl::Duration> retain,
                                 Events events)
    : retention_(store, retain),
      events_(std::move(events)),
      thread_([this] { return Run(); }) {}

absl::Duration RetentionThread::Run() {
  Retention::Outcome outcome;
  const absl::Status status =
      retention_.Run([this] { return thread_.ending(); }, &outcome);
  if (outcome.record_count > 0) events_.on_removal(outcome);
  if (status.ok()) return kInterval;
  if (!absl::IsCancelled(status)) events_.on_error(status);
  return kIntervalAfterFailure;
}

}  // namespace tokenusage
