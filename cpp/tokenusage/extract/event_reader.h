// SPDX-License-Identifier: Apache-2.0

// Finds the events of a stream in its bytes. Only for the files of this folder.
//
//   EventReader events;
//   status = events.Feed(chunk, find, [&](std::string_view event) { ... });

#ifndef TOKENUSAGE_EXTRACT_EVENT_READER_H_
#define TOKENUSAGE_EXTRACT_EVENT_READER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tokenusage::extract_internal {

// Returns a position in the first event that must be read, or the size of
// `bytes` if there is none. `bytes` are from a stream, and start with an event.
using EventFinder = std::function<std::size_t(std::string_view bytes)>;

// Takes the data of one event, which lives as long as the call.
using EventVisitor = std::function<absl::Status(std::string_view event)>;

// Reads server-sent events, whose lines end with LF, CRLF or CR. Also takes a
// line that starts with "{", and ends with LF or CRLF, for an event. Copies
// only the events that are split between chunks or have several lines of data.
class EventReader {
 public:
  // The longest event; more is an error.
  static constexpr std::size_t kMaxEventBytes = std::size_t{16} << 20;

  // Calls `visit` for each event that the chunk completes, but may skip those
  // that `find` does not return. Stops at the first error: the visitor's, or
  // INVALID_ARGUMENT for an event that is too long.
  absl::Status Feed(std::string_view chunk, const EventFinder& find,
                    const EventVisitor& visit);

  // Returns the data of an event that the stream did not complete, and forgets
  // it. Empty if there is none.
  std::string TakeUnfinished();

 private:
  absl::Status TakeLine(std::string_view line, std::string_view rest,
                        const EventVisitor& visit);
  absl::Status CheckSize(std::size_t more) const;

  std::string line_;  // the start of a line whose end has not arrived
  std::string data_;  // the data of the event's lines so far
  bool has_data_ = false;
  bool is_first_line_ = true;
  bool may_be_crlf_ = false;  // the last chunk ended with the CR of a line
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_EVENT_READER_H_
