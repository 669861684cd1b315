// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/refused_file.h"

#include <memory>

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

absl::StatusOr<bool> RefusedFile::Append(std::string_view record,
                                         const v1::RecordError& error,
                                         absl::Time time) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string line, LineOf(record, error, time));
  const std::lock_guard lock(mutex_);
  // Opened each time: an operator may have moved the file away.
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                              files_->Open(folder_ + "/refused.jsonl"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t size, file->Size());
  std::string end = "\n";
  if (size > 0) TOKENUSAGE_RETURN_IF_ERROR(file->ReadAt(size - 1, 1, &end));
  // A crash may have cut the last line.
  if (end != "\n") line.insert(0, "\n");
  if (size + static_cast<std::int64_t>(line.size()) > max_bytes_) return false;
  if (syncs_ && size == 0) {
    TOKENUSAGE_RETURN_IF_ERROR(files_->SyncFolder(folder_));
  }
  absl::Status status = file->WriteAt(size, line);
  if (status.ok() && syncs_) status = file->Sync();
  if (status.ok()) return true;
  file->Truncate(size).IgnoreError();  // the caller tries again
  return status;
}

}  // namespace tokenusage
