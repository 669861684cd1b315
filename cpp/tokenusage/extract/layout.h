// SPDX-License-Identifier: Apache-2.0

// Describes where a dialect's responses state their usage, and how its streams
// do. Only for the files of this folder.

#ifndef TOKENUSAGE_EXTRACT_LAYOUT_H_
#define TOKENUSAGE_EXTRACT_LAYOUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/extract/name_probe.h"

namespace tokenusage::extract_internal {

// A place of the usage. Paths are as ParseJsonAt takes them.
struct Place {
  // `head_path` leads to the object that has the response's id and model.
  explicit Place(std::string usage_path, std::string head_path = "");

  // Returns false only if the event or response has no usage here, or one that
  // is null if `skips_null`.
  bool MayBeIn(std::string_view json, bool skips_null) const;

  std::string usage;
  std::string head;
  std::vector<NameProbe> names;  // of the usage's path
};

// The effect of an event's usage on that of earlier events.
enum class Merge {
  kLast,    // The later usage replaces it.
  kFields,  // Each field that the later usage states replaces the earlier one.
  // The same, but a zero keeps an earlier positive count: servers send it for
  // "not stated here".
  kFieldsButZeros,
  kSum,   // Counts add up.
  kEach,  // The earlier usage stays: each usage is a record.
};

// The condition under which the usage that was seen last covers the whole
// stream. It always does if an event has ended the stream.
enum class Final {
  kSeen,     // As soon as there is one.
  kChoices,  // If no choice or candidate of its event is unfinished.
  kEnded,    // Only if an event has ended the stream.
};

struct Layout {
  // The places of the usage, in order of priority.
  std::vector<Place> body;
  std::vector<Place> stream;
  Merge merge = Merge::kLast;
  Final final = Final::kSeen;
  // The types of the events that end a stream; `[DONE]` always does.
  std::vector<NameProbe> end_types = {};
  // True if responses state neither their id nor their model.
  bool is_anonymous = false;
  // True if an object is a usage only if its member `done` is true.
  bool needs_done = false;
  // True if the lines of a file are events. Otherwise each is a response.
  bool streams_lines = false;
  // The member of UsageRecord for `tool_usage` beside the usage.
  std::string tool_usage_field = "";
  // An event that has usage or ends the stream has one of these names. Empty if
  // any event may. Set by the dialect.
  std::vector<NameProbe> marks = {};
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_LAYOUT_H_
