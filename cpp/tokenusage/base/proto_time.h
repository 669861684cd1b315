// SPDX-License-Identifier: Apache-2.0

// Conversions between google.protobuf.Timestamp, nanoseconds since 1970 and
// absl::Time, and the range of the times that this project handles.
//
//   *record.mutable_receive_time() = TimestampFromTime(absl::Now());
//   std::int64_t nanos = NanosFromTimestamp(record.event_time());

#ifndef TOKENUSAGE_BASE_PROTO_TIME_H_
#define TOKENUSAGE_BASE_PROTO_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace tokenusage {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// 2000-01-01T00:00:00Z, the earliest time of a record or a window, and
// 2200-01-01T00:00:00Z, the latest end of a window; in seconds since 1970.
inline constexpr std::int64_t kMinTimeSeconds = 946'684'800;
inline constexpr std::int64_t kMaxTimeSeconds = 7'258'118'400;

// Returns the time that is `nanos` nanoseconds after 1970-01-01T00:00:00Z, or
// before if negative. The Timestamp's own `nanos` are never negative.
inline ::google::protobuf::Timestamp TimestampFromNanos(std::int64_t nanos) {
  std::int64_t seconds = nanos / kNanosPerSecond;
  std::int64_t rest = nanos % kNanosPerSecond;
  if (rest < 0) {
    --seconds;
    rest += kNanosPerSecond;
  }
  ::google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<std::int32_t>(rest));
  return timestamp;
}

// Converts a time, rounded down to nanoseconds, and clamped to about 292 years
// around 1970.
inline ::google::protobuf::Timestamp TimestampFromTime(absl::Time time) {
  return TimestampFromNanos(absl::ToUnixNanos(time));
}

// Returns nanoseconds since 1970. The timestamp must be within about 292 years
// of 1970.
inline std::int64_t NanosFromTimestamp(
    const ::google::protobuf::Timestamp& timestamp) {
  return timestamp.seconds() * kNanosPerSecond + timestamp.nanos();
}

// Returns whether `nanos` is in the range that Timestamp allows.
inline bool HasValidNanos(const ::google::protobuf::Timestamp& timestamp) {
  return timestamp.nanos() >= 0 && timestamp.nanos() < kNanosPerSecond;
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_PROTO_TIME_H_
