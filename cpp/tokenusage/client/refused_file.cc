// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/refused_file.h"

#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/internal/refused_record.pb.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

// Returns a line for the file. A record that has no JSON encoding, such as one
// of a newer schema, is kept in its binary encoding.
absl::StatusOr<std::string> LineOf(std::string_view record,
                                   const v1::RecordError& error,
                                   absl::Time time) {
  internal::RefusedRecord refused;
  *refused.mutable_refuse_time() = TimestampFromTime(time);
  *refused.mutable_error() = error;
  refused.mutable_error()->clear_index();
  std::string line;
  if (refused.mutable_record()->ParseFromArray(
          record.data(), static_cast<int>(record.size())) &&
      AppendJsonLine(refused, &line).ok()) {
    return line;
  }
  refused.clear_record();
  refused.set_encoded_record(std::string(record));
  TOKENUSAGE_RETURN_IF_ERROR(AppendJsonLine(refused, &line));
  return line;
}

}  // namespace

absl::Status RefusedFile::Open() {
  if (file_ != nullptr) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                              files_->Open(folder_ + "/refused.jsonl"));
  if (syncs_) TOKENUSAGE_RETURN_IF_ERROR(files_->SyncFolder(folder_));
  TOKENUSAGE_ASSIGN_OR_RETURN(size_, file->Size());
  std::string end;
  if (size_ > 0) TOKENUSAGE_RETURN_IF_ERROR(file->ReadAt(size_ - 1, 1, &end));
  ends_with_line_ = end.empty() || end == "\n";
  file_ = std::move(file);
  return absl::OkStatus();
}

absl::StatusOr<bool> RefusedFile::Append(std::string_view record,
                                         const v1::RecordError& error,
                                         absl::Time time) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string line, LineOf(record, error, time));
  const std::lock_guard lock(mutex_);
  TOKENUSAGE_RETURN_IF_ERROR(Open());
  // A crash may have cut the last line.
  if (!ends_with_line_) line.insert(0, "\n");
  const auto bytes = static_cast<std::int64_t>(line.size());
  if (size_ + bytes > max_bytes_) return false;
  TOKENUSAGE_RETURN_IF_ERROR(file_->WriteAt(size_, line));
  if (syncs_) TOKENUSAGE_RETURN_IF_ERROR(file_->Sync());
  size_ += bytes;
  ends_with_line_ = true;
  return true;
}

}  // namespace tokenusage
