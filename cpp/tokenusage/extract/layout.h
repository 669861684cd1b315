// SPDX-License-Identifier: Apache-2.0

// Where the responses of a dialect have their usage, and how a stream states
// it. Only for the files of this folder.

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

// What becomes of the usage of earlier events.
enum class Merge {
  kLast,    // The later usage replaces it.
  kFields,  // Each field that the later usage states replaces the earlier one.
  // The same, but a zero keeps an earlier positive count: servers send it for
  // "not stated here".
  kFieldsButZeros,
  kSum,   // Counts add up.
  kEach,  // It stays: each usage is a record.
};

// When the usage that was seen last is all of the stream's. It always is if an
// event has ended the stream.
enum class Final {
  kSeen,     // As soon as there is one.
  kChoices,  // If no choice or candidate of its event is unfinished.
  kEnded,    // Only then.
};

struct Layout {
  // The places of the usage, in order of priority.
  std::vector<Place> body;
  std::vector<Place> stream;
  Merge merge = Merge::kLast;
  Final final = Final::kSeen;
  // The types of the events that end a stream; `[DONE]` always does.
  std::vector<NameProbe> end_types = {};
  // Whether responses state neither their id nor their model.
  bool is_anonymous = false;
  // Whether an object is a usage only if its member `done` is true.
  bool needs_done = false;
  // Whether the lines of a file are events. Otherwise each is a response.
  bool streams_lines = false;
  // The member of UsageRecord for `tool_usage` beside the usage.
  std::string tool_usage_field = "";
  // Of these names an event has one if it has usage, or ends the stream. Empty
  // if any event may. Set by the dialect.
  std::vector<NameProbe> marks = {};
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_LAYOUT_H_
