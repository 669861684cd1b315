// SPDX-License-Identifier: Apache-2.0

// One file of a spool. docs/client.md describes the format.

#ifndef TOKENUSAGE_CLIENT_SPOOL_SEGMENT_H_
#define TOKENUSAGE_CLIENT_SPOOL_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/client/file_system.h"
#include "tokenusage/client/record_log.h"

namespace tokenusage {

// A frame: a header of this size, then the record.
inline constexpr std::size_t kFrameHeaderBytes = EncodedRecord::kHeaderBytes;
inline constexpr std::size_t kMaxFrameRecordBytes = 1 << 20;

// Turn a record into a frame in two steps. BeginFrame writes all but the
// sequence, and takes time in proportion to the record's size; FinishFrame adds
// the sequence.
void BeginFrame(EncodedRecord* record);
void FinishFrame(std::uint64_t sequence, EncodedRecord* record);

// Names a segment by the sequence of its first record and by its project. So
// damage to a file's content does not lose the project.
struct SegmentName {
  std::uint64_t first = 0;
  std::string project;
};

// Returns the name of the segment's file.
std::string FormatSegmentName(const SegmentName& name);

// Returns the parts of a file's name if it is a segment's.
std::optional<SegmentName> ParseSegmentName(std::string_view text);

// Reads the frames of a segment and skips what is not a frame. Not thread-safe.
class SegmentReader {
 public:
  // `first` is the sequence that the name states.
  SegmentReader(std::shared_ptr<File> file, std::uint64_t first)
      : file_(std::move(file)), next_(first), first_(first) {}

  struct Frame {
    std::uint64_t sequence = 0;
    std::string_view record;  // valid until the next call
  };

  // Returns the next frame that ends at or before `limit`, a position in the
  // file; nullopt if there is none. The file must not change before `limit`.
  absl::StatusOr<std::optional<Frame>> Next(std::int64_t limit);

  // Returns the offset after the last frame that was returned.
  std::int64_t frame_end() const { return frame_end_; }

 private:
  absl::StatusOr<bool> Fill(std::size_t size, std::int64_t limit);
  absl::StatusOr<bool> SkipToMarker(std::int64_t limit);
  bool IsPlausible(std::size_t length, std::uint64_t sequence,
                   std::int64_t limit) const;
  std::string_view Rest() const {
    return std::string_view(buffer_).substr(
        static_cast<std::size_t>(position_ - buffer_start_));
  }

  const std::shared_ptr<File> file_;
  std::string buffer_;             // a part of the file
  std::int64_t buffer_start_ = 0;  // where it is in the file
  std::int64_t position_ = 0;      // of the next byte to read
  std::int64_t frame_end_ = 0;
  std::uint64_t next_;  // the least sequence of the next frame
  const std::uint64_t first_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_SPOOL_SEGMENT_H_
