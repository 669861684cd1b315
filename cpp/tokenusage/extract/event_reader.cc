// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/event_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage::extract_internal {
namespace {

// The number of bytes that are searched at a time for an event to read. The
// bytes after that event are searched again, so a larger number is slow if many
// events must be read.
constexpr std::size_t kLookAhead = 4096;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// Finds the ends of a text's lines, one after the other.
class LineEnds {
 public:
  explicit LineEnds(std::string_view text) : end_(text.data() + text.size()) {}

  // Returns the size of the first line of `rest`, or npos if the line has no
  // end. `rest` is all of the text from some position on. In JSON, CR is white
  // space.
  std::size_t Find(std::string_view rest, bool is_json) {
    if (line_feed_ == nullptr || line_feed_ < rest.data()) {
      line_feed_ = rest.data() + std::min(rest.find('\n'), rest.size());
    }
    const auto size = static_cast<std::size_t>(line_feed_ - rest.data());
    const std::size_t cr =
        is_json ? std::string_view::npos : rest.substr(0, size).find('\r');
    if (cr != std::string_view::npos) return cr;
    return line_feed_ == end_ ? std::string_view::npos : size;
  }

 private:
  const char* const end_;
  const char* line_feed_ = nullptr;  // the next one, or the end
};

// Returns the size of `bytes` up to the last blank line, which ends an event.
std::size_t SizeOfWholeEvents(std::string_view bytes) {
  std::size_t end = bytes.rfind('\n');
  while (end != 0 && end != std::string_view::npos) {
    const std::size_t previous = bytes.rfind('\n', end - 1);
    const std::string_view line =
        bytes.substr(previous + 1, end - previous - 1);
    if (line.empty() || line == "\r") return end + 1;
    end = previous;
  }
  return 0;
}

}  // namespace

absl::Status EventReader::CheckSize(std::size_t more) const {
  if (line_.size() + data_.size() + more <= kMaxEventBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("expected events of at most ",
                                                 kMaxEventBytes,
                                                 " bytes (16 MiB), found a "
                                                 "longer one"));
}

absl::Status EventReader::Feed(std::string_view chunk, const EventFinder& find,
                               const EventVisitor& visit) {
  if (may_be_crlf_ && !chunk.empty()) {
    may_be_crlf_ = false;
    TakePrefix("\n", &chunk);
  }
  std::size_t unread = chunk.size();  // the part from find's position on
  LineEnds ends(chunk);
  while (true) {
    const bool is_between = line_.empty() && !has_data_;
    if (is_between && chunk.size() <= unread) {
      const std::string_view ahead = chunk.substr(0, kLookAhead);
      const std::size_t found = std::min(find(ahead), ahead.size());
      unread = chunk.size() - found;
      const std::size_t skipped = SizeOfWholeEvents(ahead.substr(0, found));
      is_first_line_ = is_first_line_ && skipped == 0;
      chunk.remove_prefix(skipped);
    }
    const std::string_view begin = line_.empty() ? chunk : line_;
    const std::size_t end = ends.Find(chunk, begin.substr(0, 1) == "{");
    TOKENUSAGE_RETURN_IF_ERROR(CheckSize(std::min(end, chunk.size())));
    if (end == std::string_view::npos) break;
    std::string_view rest = chunk.substr(end + 1);
    if (chunk[end] == '\r') {
      may_be_crlf_ = rest.empty();
      TakePrefix("\n", &rest);
    }
    if (line_.empty()) {
      TOKENUSAGE_RETURN_IF_ERROR(TakeLine(chunk.substr(0, end), rest, visit));
    } else {
      line_.append(chunk.substr(0, end));
      const std::string line = std::exchange(line_, "");
      TOKENUSAGE_RETURN_IF_ERROR(TakeLine(line, rest, visit));
    }
    chunk = rest;
  }
  line_.append(chunk);
  return absl::OkStatus();
}

// Takes a line. `rest` is the known part of the stream after it.
absl::Status EventReader::TakeLine(std::string_view line, std::string_view rest,
                                   const EventVisitor& visit) {
  if (std::exchange(is_first_line_, false)) TakePrefix(kByteOrderMark, &line);
  if (line.empty()) {
    if (!std::exchange(has_data_, false)) return absl::OkStatus();
    const absl::Status status = visit(data_);
    data_.clear();
    return status;
  }
  if (line.front() == '{') return visit(line);
  if (!TakePrefix("data:", &line)) return absl::OkStatus();
  TakePrefix(" ", &line);
  if (!has_data_ && (TakePrefix("\n", &rest) || TakePrefix("\r", &rest))) {
    return visit(line);  // the event's only line
  }
  if (std::exchange(has_data_, true)) data_.push_back('\n');
  data_.append(line);
  return absl::OkStatus();
}

std::string EventReader::TakeUnfinished() {
  const std::string line = std::exchange(line_, "");
  const EventVisitor keep = [this](std::string_view event) {
    data_ = event;
    return absl::OkStatus();
  };
  if (!line.empty()) static_cast<void>(TakeLine(line, "", keep));
  has_data_ = false;
  return std::exchange(data_, "");
}

}  // namespace tokenusage::extract_internal
