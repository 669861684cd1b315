// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/segment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/client/spool/crc32c.h"

namespace tokenusage {
namespace {

// No UTF-8 text holds the first or the last byte, so text in a record is never
// taken for a frame.
constexpr std::string_view kMarker = "\xf5TU\xff";
constexpr std::string_view kSegmentSuffix = ".spool";
constexpr std::size_t kReadBytes = 256 << 10;

// Offsets of the integers in a header. They are little-endian.
constexpr std::size_t kLengthOffset = 4;
constexpr std::size_t kSequenceOffset = 8;
constexpr std::size_t kChecksumOffset = 16;

template <typename T>
void WriteInteger(T value, std::size_t offset, std::string* bytes) {
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    (*bytes)[offset + i] = static_cast<char>(value >> (8 * i));
  }
}

template <typename T>
T ReadInteger(std::string_view bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + i]);
    value |= static_cast<T>(static_cast<T>(byte) << (8 * i));
  }
  return value;
}

// Returns the checksum of the record, then of the length and the sequence in
// the frame's header.
std::uint32_t FrameChecksum(std::uint32_t record_checksum,
                            std::string_view frame) {
  return Crc32c(frame.substr(kLengthOffset, kChecksumOffset - kLengthOffset),
                record_checksum);
}

}  // namespace

void BeginFrame(EncodedRecord* record) {
  std::string& frame = record->bytes;
  frame.replace(0, kMarker.size(), kMarker);
  WriteInteger(static_cast<std::uint32_t>(record->record().size()),
               kLengthOffset, &frame);
  WriteInteger(Crc32c(record->record()), kChecksumOffset, &frame);
}

void FinishFrame(std::uint64_t sequence, EncodedRecord* record) {
  std::string& frame = record->bytes;
  WriteInteger(sequence, kSequenceOffset, &frame);
  const auto record_checksum =
      ReadInteger<std::uint32_t>(frame, kChecksumOffset);
  WriteInteger(FrameChecksum(record_checksum, frame), kChecksumOffset, &frame);
}

std::string FormatSegmentName(const SegmentName& name) {
  return absl::StrFormat("%020u.%s%s", name.first, name.project,
                         kSegmentSuffix);
}

std::optional<SegmentName> ParseSegmentName(std::string_view text) {
  constexpr std::size_t kProjectStart = sizeof("00000000000000000001.") - 1;
  if (text.size() <= kProjectStart + kSegmentSuffix.size()) return std::nullopt;
  SegmentName name;
  name.project = text.substr(
      kProjectStart, text.size() - kProjectStart - kSegmentSuffix.size());
  if (!absl::SimpleAtoi(ToAbsl(text.substr(0, kProjectStart - 1)),
                        &name.first) ||
      text != FormatSegmentName(name)) {
    return std::nullopt;
  }
  return name;
}

// Returns whether a frame with these values can be at position_.
bool SegmentReader::IsPlausible(std::size_t length, std::uint64_t sequence,
                                std::int64_t limit) const {
  const std::int64_t end =
      position_ + static_cast<std::int64_t>(kFrameHeaderBytes + length);
  // Sequences have gaps only where frames were lost, each of which took room.
  const std::uint64_t max_sequence =
      first_ + static_cast<std::uint64_t>(position_) / kFrameHeaderBytes;
  return length <= kMaxFrameRecordBytes && end <= limit && sequence >= next_ &&
         sequence <= max_sequence;
}

absl::StatusOr<std::optional<SegmentReader::Frame>> SegmentReader::Next(
    std::int64_t limit) {
  while (true) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, SkipToMarker(limit));
    if (!found) return std::nullopt;
    const auto length = ReadInteger<std::uint32_t>(Rest(), kLengthOffset);
    const auto sequence = ReadInteger<std::uint64_t>(Rest(), kSequenceOffset);
    if (IsPlausible(length, sequence, limit)) {
      const std::size_t size = kFrameHeaderBytes + length;
      TOKENUSAGE_ASSIGN_OR_RETURN(const bool filled, Fill(size, limit));
      if (!filled) return std::nullopt;  // the file was cut meanwhile
      const std::string_view frame = Rest().substr(0, size);
      const std::string_view record = frame.substr(kFrameHeaderBytes);
      if (ReadInteger<std::uint32_t>(frame, kChecksumOffset) ==
          FrameChecksum(Crc32c(record), frame)) {
        position_ += static_cast<std::int64_t>(size);
        frame_end_ = position_;
        next_ = sequence + 1;
        return Frame{sequence, record};
      }
    }
    ++position_;
  }
}

// Moves position_ to the next marker that begins a whole header. Returns false
// if there is none.
absl::StatusOr<bool> SegmentReader::SkipToMarker(std::int64_t limit) {
  while (true) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool filled,
                                Fill(kFrameHeaderBytes, limit));
    if (!filled) return false;
    const std::string_view rest = Rest();
    const std::size_t found = rest.find(kMarker);
    if (found == 0) return true;
    // A marker may begin with the last bytes of the buffer.
    const std::size_t skipped = found != std::string_view::npos
                                    ? found
                                    : rest.size() - (kMarker.size() - 1);
    position_ += static_cast<std::int64_t>(skipped);
  }
}

// Makes Rest() hold at least `size` bytes, all of them before `limit`. Returns
// false if there are fewer.
absl::StatusOr<bool> SegmentReader::Fill(std::size_t size, std::int64_t limit) {
  if (limit - position_ < static_cast<std::int64_t>(size)) return false;
  if (Rest().size() < size) {
    const auto wanted =
        std::min(limit - position_,
                 static_cast<std::int64_t>(std::max(size, kReadBytes)));
    TOKENUSAGE_RETURN_IF_ERROR(
        file_->ReadAt(position_, static_cast<std::size_t>(wanted), &buffer_));
    buffer_start_ = position_;
  }
  return Rest().size() >= size;
}

}  // namespace tokenusage
