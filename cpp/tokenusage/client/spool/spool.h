// SPDX-License-Identifier: Apache-2.0

// Keeps records in a folder, where they survive the process. docs/client.md
// describes the files.
//
//   SpoolOptions options;
//   options.folder = "/var/lib/gateway/usage";
//   options.project = "demo";
//   TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<Spool> spool,
//                               Spool::Open(std::move(options)));

#ifndef TOKENUSAGE_CLIENT_SPOOL_SPOOL_H_
#define TOKENUSAGE_CLIENT_SPOOL_SPOOL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/client/file_system.h"
#include "tokenusage/client/record_log.h"
#include "tokenusage/client/spool/segment.h"

namespace tokenusage {

struct SpoolOptions {
  std::string folder;
  std::string project;
  FileSystem* files = FileSystem::Real();
  // A segment that has reached this size is followed by a new one. It is
  // deleted once all of its records are answered.
  std::int64_t segment_bytes = 8 << 20;
  // Set if Sync will be called.
  bool syncs = true;
  // Called with each instance of damage that is found, and with each segment
  // that cannot be deleted. Must be thread-safe.
  std::function<void(std::string_view message)> log = [](std::string_view) {};
};

// The damage that was found since the spool was opened.
struct SpoolDamage {
  std::int64_t lost_records = 0;  // unreadable, before others that were read
  std::int64_t torn_tails = 0;    // a last write that was cut, or damage to it
  std::int64_t lost_files = 0;    // that hold the project or the cursor
};

class Spool : public RecordLog {
 public:
  // Opens the spool in a folder, which is created if there is none; its parent
  // must exist. Damage never makes this fail.
  //
  // Errors: FAILED_PRECONDITION if the spool has another owner or project, or
  // was written by a newer version; those of FileError if the folder cannot be
  // read and written.
  static absl::StatusOr<std::unique_ptr<Spool>> Open(SpoolOptions options);

  void Prepare(EncodedRecord* record) const override { BeginFrame(record); }
  absl::Status Append(EncodedRecord* record) override;
  absl::Status Sync() override;
  // An error leaves the records unread.
  absl::StatusOr<Batch> Read(const BatchLimits& limits) override;
  // The only effect of an error is that records may be sent again after a
  // restart.
  absl::Status Discard(std::uint64_t last) override;
  std::uint64_t last_appended() const override { return last_appended_; }
  std::uint64_t last_read() const override { return last_read_; }
  std::int64_t bytes() const override { return bytes_; }

  SpoolDamage damage() const;

 private:
  struct Segment {
    std::uint64_t first = 0;  // the sequence of its first record
    std::int64_t bytes = 0;
    std::shared_ptr<File> file;  // null if nothing is appended to it any more
  };
  // The part of a segment that can be read.
  struct ReadableSegment {
    Segment segment;
    bool is_last = false;
    std::uint64_t last = 0;  // the sequence of its last record
  };

  explicit Spool(SpoolOptions options) : options_(std::move(options)) {}

  std::string PathOf(std::string_view name) const;
  std::string SegmentFile(std::uint64_t first) const;
  absl::Status SyncParent();
  absl::Status OpenFiles();
  absl::Status WriteProject();
  absl::Status OpenLastSegment(std::uint64_t first);
  absl::Status StartSegment(std::uint64_t first);
  void RemoveSegments(std::uint64_t last);
  std::optional<ReadableSegment> NextReadable() const;
  absl::StatusOr<bool> ReadFrom(const ReadableSegment& readable,
                                const BatchLimits& limits, Batch* batch);
  absl::Status OpenReader(const Segment& segment);
  void SkipTo(std::uint64_t last);
  void Log(std::string_view message) const;

  const SpoolOptions options_;
  std::unique_ptr<File> lock_;
  std::unique_ptr<File> cursor_;

  mutable std::mutex mutex_;
  std::deque<Segment> segments_;  // guarded by mutex_, like all up to damage_
  std::vector<std::shared_ptr<File>> unsynced_;
  bool folder_is_synced_ = false;
  std::uint64_t reading_ = 0;  // the first sequence of the segment being read
  SpoolDamage damage_;

  std::atomic<std::uint64_t> last_appended_{0};
  std::atomic<std::uint64_t> last_read_{0};
  std::atomic<std::int64_t> bytes_{0};

  // Used by Read only.
  std::unique_ptr<SegmentReader> reader_;
  std::uint64_t reader_first_ = 0;  // the first sequence of its segment
  std::optional<SegmentReader::Frame> unread_frame_;
};

// A spool's contents, for `tokenusage spool`.
struct SpoolSummary {
  std::string project;
  std::int64_t segments = 0;
  std::int64_t bytes = 0;
  std::int64_t records = 0;  // that wait for an answer
  SpoolDamage damage;
};

// Reads a spool without changing or locking it, and calls `on_record` with each
// serialized record that waits for an answer. If the spool is in use, a record
// that is being written may look like a torn tail.
//
// Errors: NOT_FOUND if the folder has no spool; FAILED_PRECONDITION if it was
// written by a newer version, or has records of two projects; those of
// FileError.
absl::StatusOr<SpoolSummary> InspectSpool(
    const std::string& folder, FileSystem* files,
    const std::function<void(std::string_view record)>& on_record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_SPOOL_SPOOL_H_
