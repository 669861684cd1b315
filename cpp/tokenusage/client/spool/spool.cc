// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/spool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/client/spool/checked_text.h"

namespace tokenusage {
namespace {

constexpr char kProjectFile[] = "spool";
constexpr char kCursorFile[] = "cursor";
constexpr char kLockFile[] = "lock";
constexpr std::size_t kMaxSmallFileBytes = 4096;
constexpr int kVersion = 1;

// The state of a spool's files, without its records.
struct Layout {
  std::optional<std::string> project;         // nullopt if no file states it
  bool has_project_file = false;              // that can be read
  std::optional<std::uint64_t> acknowledged;  // nullopt if it cannot be read
  std::vector<std::uint64_t> segments;        // their first sequences, rising
  int damaged_files = 0;
};

// Returns the text of a small file; nullopt if it is damaged, which is counted,
// missing or empty. The cursor is empty until the first Discard.
absl::StatusOr<std::optional<std::string>> ReadChecked(const std::string& path,
                                                       FileSystem* files,
                                                       int* damaged_files) {
  auto file = files->Open(path, FileSystem::OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  TOKENUSAGE_RETURN_IF_ERROR(file.status());
  std::string content;
  TOKENUSAGE_RETURN_IF_ERROR((*file)->ReadAt(0, kMaxSmallFileBytes, &content));
  std::optional<std::string> text = TakeChecksum(content);
  if (!text.has_value() && !content.empty()) ++*damaged_files;
  return text;
}

std::string ProjectText(std::string_view project) {
  return absl::StrCat("tokenusage spool ", kVersion, "\nproject ",
                      ToAbsl(project), "\n");
}

// Reads the text of the file kProjectFile.
absl::Status ReadProject(const std::string& folder, const std::string& text,
                         Layout* layout) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  absl::string_view version = lines[0];
  int number = 0;
  if (!absl::ConsumePrefix(&version, "tokenusage spool ") ||
      !absl::SimpleAtoi(version, &number)) {
    ++layout->damaged_files;
    return absl::OkStatus();
  }
  if (number > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("spool ", folder, ": expected version ", kVersion,
                     ", found ", number, ", which a newer tokenusage wrote"));
  }
  absl::string_view project = lines[lines.size() > 1 ? 1 : 0];
  if (absl::ConsumePrefix(&project, "project ")) {
    layout->project = std::string(project);
  }
  return absl::OkStatus();
}

std::string CursorText(std::uint64_t last) {
  // The same length for every sequence: the text overwrites the previous one.
  return absl::StrFormat("acknowledged %020u\n", last);
}

// Finds the segments, whose names state the project, too.
absl::Status ReadSegmentNames(const std::string& folder, FileSystem* files,
                              Layout* layout) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                              files->List(folder));
  for (const std::string& text : names) {
    const auto name = ParseSegmentName(text);
    if (!name.has_value()) continue;
    layout->segments.push_back(name->first);
    if (!layout->project.has_value()) layout->project = name->project;
    if (layout->project != name->project) {
      return absl::FailedPreconditionError(
          absl::StrCat("spool ", folder, ": expected one project, found \"",
                       Excerpt(*layout->project), "\" and \"",
                       Excerpt(name->project), "\""));
    }
  }
  std::sort(layout->segments.begin(), layout->segments.end());
  return absl::OkStatus();
}

absl::StatusOr<Layout> ReadLayout(const std::string& folder,
                                  FileSystem* files) {
  Layout layout;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const auto project,
      ReadChecked(folder + "/" + kProjectFile, files, &layout.damaged_files));
  if (project.has_value()) {
    TOKENUSAGE_RETURN_IF_ERROR(ReadProject(folder, *project, &layout));
  }
  layout.has_project_file = layout.project.has_value();
  TOKENUSAGE_RETURN_IF_ERROR(ReadSegmentNames(folder, files, &layout));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const auto cursor,
      ReadChecked(folder + "/" + kCursorFile, files, &layout.damaged_files));
  std::uint64_t last = 0;
  if (cursor.has_value() &&
      absl::SimpleAtoi(absl::StripPrefix(*cursor, "acknowledged "), &last)) {
    layout.acknowledged = last;
  }
  return layout;
}

// Returns the last sequence that is known to be answered.
std::uint64_t AcknowledgedIn(const Layout& layout) {
  if (layout.acknowledged.has_value()) return *layout.acknowledged;
  return layout.segments.empty() ? 0 : layout.segments.front() - 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(SpoolOptions options) {
  std::unique_ptr<Spool> spool(new Spool(std::move(options)));
  TOKENUSAGE_RETURN_IF_ERROR(spool->OpenFiles());
  return spool;
}

absl::Status Spool::OpenFiles() {
  FileSystem* const files = options_.files;
  TOKENUSAGE_RETURN_IF_ERROR(files->CreateFolder(options_.folder));
  if (options_.syncs) TOKENUSAGE_RETURN_IF_ERROR(SyncParent());
  TOKENUSAGE_ASSIGN_OR_RETURN(lock_, files->Lock(PathOf(kLockFile)));
  TOKENUSAGE_ASSIGN_OR_RETURN(const Layout layout,
                              ReadLayout(options_.folder, files));
  damage_.lost_files = layout.damaged_files;
  if (layout.damaged_files > 0) {
    Log("the file with the project or the cursor is damaged, and was replaced");
  }
  if (layout.project.value_or(options_.project) != options_.project) {
    return absl::FailedPreconditionError(absl::StrCat(
        "spool ", options_.folder, ": expected project \"", options_.project,
        "\", found \"", Excerpt(*layout.project), "\""));
  }
  if (!layout.has_project_file) TOKENUSAGE_RETURN_IF_ERROR(WriteProject());
  TOKENUSAGE_ASSIGN_OR_RETURN(cursor_, files->Open(PathOf(kCursorFile)));
  const std::uint64_t acknowledged = AcknowledgedIn(layout);
  last_appended_ = last_read_ = acknowledged;
  for (const std::uint64_t first : layout.segments) {
    if (first == layout.segments.back()) {
      TOKENUSAGE_RETURN_IF_ERROR(OpenLastSegment(first));
      break;
    }
    auto file =
        files->Open(PathOf(SegmentFile(first)), FileSystem::OpenMode::kRead);
    if (absl::IsNotFound(file.status())) continue;
    TOKENUSAGE_RETURN_IF_ERROR(file.status());
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t size, (*file)->Size());
    segments_.push_back({first, size, nullptr});
    bytes_ += size;
  }
  // The segment that holds the next record to read.
  for (const Segment& segment : segments_) {
    if (segment.first <= acknowledged + 1) reading_ = segment.first;
  }
  RemoveSegments(acknowledged);
  return absl::OkStatus();
}

// Makes the folder's name survive a power failure.
absl::Status Spool::SyncParent() {
  const absl::Status status =
      options_.files->SyncFolder(options_.folder + "/..");
  // A parent that may not be read belongs to someone else, who created the
  // folder in it.
  return absl::IsPermissionDenied(status) ? absl::OkStatus() : status;
}

absl::Status Spool::WriteProject() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                              options_.files->Open(PathOf(kProjectFile)));
  TOKENUSAGE_RETURN_IF_ERROR(file->Truncate(0));
  TOKENUSAGE_RETURN_IF_ERROR(
      file->WriteAt(0, AddChecksum(ProjectText(options_.project))));
  return file->Sync();
}

// Finds the end of the last segment, and truncates a torn write after it.
absl::Status Spool::OpenLastSegment(std::uint64_t first) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::shared_ptr<File> file,
                              options_.files->Open(PathOf(SegmentFile(first))));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t size, file->Size());
  SegmentReader reader(file, first);
  std::uint64_t last = first - 1;
  while (true) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const auto frame, reader.Next(size));
    if (!frame.has_value()) break;
    last = frame->sequence;
  }
  const std::int64_t end = reader.frame_end();
  if (end < size) {
    ++damage_.torn_tails;
    Log(absl::StrCat(SegmentFile(first), ": the last ", size - end,
                     " bytes are not a record, and were cut off"));
    TOKENUSAGE_RETURN_IF_ERROR(file->Truncate(end));
  }
  // A segment that ends before the cursor has lost answered records. Their
  // sequences are not reused: the next record begins a new segment.
  const bool is_complete = last >= last_appended_;
  last_appended_ = std::max<std::uint64_t>(last, last_appended_);
  segments_.push_back({first, end, is_complete ? file : nullptr});
  bytes_ += end;
  return absl::OkStatus();
}

std::string Spool::PathOf(std::string_view name) const {
  return absl::StrCat(options_.folder, "/", ToAbsl(name));
}

std::string Spool::SegmentFile(std::uint64_t first) const {
  return FormatSegmentName({first, options_.project});
}

void Spool::Log(std::string_view message) const {
  options_.log(absl::StrCat("spool ", options_.folder, ": ", ToAbsl(message)));
}

SpoolDamage Spool::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

absl::Status Spool::Append(EncodedRecord* record) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t sequence = last_appended_ + 1;
  if (segments_.empty() || segments_.back().file == nullptr ||
      segments_.back().bytes >= options_.segment_bytes) {
    TOKENUSAGE_RETURN_IF_ERROR(StartSegment(sequence));
  }
  Segment& segment = segments_.back();
  FinishFrame(sequence, record);
  if (absl::Status status = segment.file->WriteAt(segment.bytes, record->bytes);
      !status.ok()) {
    // This may fail, since the next record is written at the same offset.
    segment.file->Truncate(segment.bytes).IgnoreError();
    return status;
  }
  const auto size = static_cast<std::int64_t>(record->bytes.size());
  segment.bytes += size;
  bytes_ += size;
  last_appended_ = sequence;
  return absl::OkStatus();
}

absl::Status Spool::StartSegment(std::uint64_t first) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::shared_ptr<File> file,
                              options_.files->Open(PathOf(SegmentFile(first))));
  TOKENUSAGE_RETURN_IF_ERROR(file->Truncate(0));
  if (!segments_.empty()) {
    std::shared_ptr<File> previous = std::move(segments_.back().file);
    if (options_.syncs && previous != nullptr) {
      unsynced_.push_back(std::move(previous));
    }
  }
  segments_.push_back({first, 0, std::move(file)});
  folder_is_synced_ = false;
  return absl::OkStatus();
}

absl::Status Spool::Sync() {
  std::vector<std::shared_ptr<File>> files;
  bool folder_is_synced = false;
  {
    const std::lock_guard lock(mutex_);
    files.swap(unsynced_);
    if (!segments_.empty() && segments_.back().file != nullptr) {
      files.push_back(segments_.back().file);
    }
    folder_is_synced = std::exchange(folder_is_synced_, true);
  }
  absl::Status status;
  for (const auto& file : files) status.Update(file->Sync());
  if (!folder_is_synced) {
    const absl::Status folder = options_.files->SyncFolder(options_.folder);
    if (!folder.ok()) {
      const std::lock_guard lock(mutex_);
      folder_is_synced_ = false;
    }
    status.Update(folder);
  }
  return status;
}

absl::StatusOr<Batch> Spool::Read(const BatchLimits& limits) {
  Batch batch;
  while (const auto readable = NextReadable()) {
    const auto is_full = ReadFrom(*readable, limits, &batch);
    if (!is_full.ok() && batch.count == 0) return is_full.status();
    if (!is_full.ok() || *is_full) break;
    SkipTo(readable->last);
    if (readable->is_last) break;
    const std::lock_guard lock(mutex_);
    reading_ = readable->segment.first + 1;
  }
  batch.last = last_read_;
  return batch;
}

std::optional<Spool::ReadableSegment> Spool::NextReadable() const {
  const std::lock_guard lock(mutex_);
  auto segment = segments_.begin();
  while (segment != segments_.end() && segment->first < reading_) ++segment;
  if (segment == segments_.end()) return std::nullopt;
  const auto next = std::next(segment);
  const bool is_last = next == segments_.end();
  return ReadableSegment{*segment, is_last,
                         is_last ? last_appended_.load() : next->first - 1};
}

// Moves frames to the batch. Returns whether it is full; if not, the segment
// has no more.
absl::StatusOr<bool> Spool::ReadFrom(const ReadableSegment& readable,
                                     const BatchLimits& limits, Batch* batch) {
  const absl::Status opened = OpenReader(readable.segment);
  if (absl::IsNotFound(opened)) return false;
  TOKENUSAGE_RETURN_IF_ERROR(opened);
  while (true) {
    if (!unread_frame_.has_value()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(unread_frame_,
                                  reader_->Next(readable.segment.bytes));
      if (!unread_frame_.has_value()) return false;
    }
    const SegmentReader::Frame frame = *unread_frame_;
    if (frame.sequence > last_read_) {
      if (!HasRoom(*batch, frame.record.size(), limits)) return true;
      SkipTo(frame.sequence - 1);
      AppendRecord(frame.record, batch);
      last_read_ = frame.sequence;
    }
    unread_frame_.reset();
  }
}

absl::Status Spool::OpenReader(const Segment& segment) {
  if (reader_first_ == segment.first) return absl::OkStatus();
  std::shared_ptr<File> file = segment.file;
  if (file == nullptr) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        file, options_.files->Open(PathOf(SegmentFile(segment.first)),
                                   FileSystem::OpenMode::kRead));
  }
  reader_ = std::make_unique<SegmentReader>(std::move(file), segment.first);
  reader_first_ = segment.first;
  return absl::OkStatus();
}

// Counts the records from last_read_ to `last` as lost.
void Spool::SkipTo(std::uint64_t last) {
  if (last <= last_read_) return;
  const std::uint64_t lost = last - last_read_;
  last_read_ = last;
  {
    const std::lock_guard lock(mutex_);
    damage_.lost_records += static_cast<std::int64_t>(lost);
  }
  Log(absl::StrCat(SegmentFile(reader_first_), ": damaged, ", lost,
                   " records before the record ", last + 1, " are lost"));
}

absl::Status Spool::Discard(std::uint64_t last) {
  const absl::Status status =
      cursor_->WriteAt(0, AddChecksum(CursorText(last)));
  RemoveSegments(last);
  return status;
}

// Deletes the segments with no record after `last`, except those that are still
// written or read.
void Spool::RemoveSegments(std::uint64_t last) {
  std::vector<std::uint64_t> removable;
  {
    const std::lock_guard lock(mutex_);
    while (segments_.size() > 1 && segments_[1].first <= last + 1 &&
           segments_.front().first < reading_) {
      removable.push_back(segments_.front().first);
      bytes_ -= segments_.front().bytes;
      segments_.pop_front();
    }
  }
  if (removable.empty()) return;
  // If a power failure undid the cursor, but not the deletions, these records
  // would count as lost. If the sync fails, the segments are deleted all the
  // same, or a full disk would stay full.
  cursor_->Sync().IgnoreError();
  for (const std::uint64_t first : removable) {
    const absl::Status status =
        options_.files->Remove(PathOf(SegmentFile(first)));
    if (!status.ok()) Log(FromAbsl(status.message()));
  }
}

absl::StatusOr<SpoolSummary> InspectSpool(
    const std::string& folder, FileSystem* files,
    const std::function<void(std::string_view record)>& on_record) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const Layout layout, ReadLayout(folder, files));
  if (!layout.project.has_value()) {
    return absl::NotFoundError("folder " + folder + ": has no spool");
  }
  SpoolSummary summary;
  summary.project = *layout.project;
  summary.segments = static_cast<std::int64_t>(layout.segments.size());
  summary.damage.lost_files = layout.damaged_files;
  std::uint64_t last = AcknowledgedIn(layout);
  const auto skip_to = [&last, &summary](std::uint64_t sequence) {
    if (sequence <= last) return;
    summary.damage.lost_records += static_cast<std::int64_t>(sequence - last);
    last = sequence;
  };
  for (const std::uint64_t first : layout.segments) {
    skip_to(first - 1);
    auto file =
        files->Open(folder + "/" + FormatSegmentName({first, *layout.project}),
                    FileSystem::OpenMode::kRead);
    if (absl::IsNotFound(file.status())) continue;
    TOKENUSAGE_RETURN_IF_ERROR(file.status());
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t size, (*file)->Size());
    summary.bytes += size;
    SegmentReader reader(*std::move(file), first);
    while (true) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const auto frame, reader.Next(size));
      if (!frame.has_value()) break;
      if (frame->sequence <= last) continue;
      skip_to(frame->sequence - 1);
      last = frame->sequence;
      ++summary.records;
      on_record(frame->record);
    }
    if (first == layout.segments.back() && reader.frame_end() < size) {
      ++summary.damage.torn_tails;
    }
  }
  return summary;
}

}  // namespace tokenusage
