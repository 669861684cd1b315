// SPDX-License-Identifier: Apache-2.0

// Writes the folder of an export: parts, and the manifest that lists their
// contents.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const auto folder, ExportFolder::Open("october", request, 1 << 20));
//   for (...) TOKENUSAGE_RETURN_IF_ERROR(folder->Add(row));
//   TOKENUSAGE_RETURN_IF_ERROR(folder->WritePart());
//   TOKENUSAGE_RETURN_IF_ERROR(folder->Complete());
//
// A part is written when it is full, under another name until it is on disk,
// and is not changed after that. Then the manifest is replaced. So a process
// that is killed at any moment leaves a folder that another can continue.

#ifndef TOKENUSAGE_CLI_EXPORT_FOLDER_H_
#define TOKENUSAGE_CLI_EXPORT_FOLDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/export/rows.h"
#include "tokenusage/internal/export_manifest.pb.h"
#include "tokenusage/record/usage_sum.h"

namespace tokenusage {

// A part is held in memory until it is written.
inline constexpr std::int64_t kMaxExportPartBytes = 1 << 30;

// The folder of one export, complete or not. Not thread-safe.
class ExportFolder {
 public:
  // Opens the folder, which is created if there is none, and locks it. If it
  // holds the beginning of this export, reads all of it: nothing is added to a
  // damaged export. A part takes another row only if it then has at most
  // `part_bytes` bytes.
  //
  // Errors, each naming the folder: those of FileError. FAILED_PRECONDITION if
  // the folder holds something else, or another process exports to it.
  // DATA_LOSS if its content is damaged. INTERNAL if a part that the manifest
  // does not list cannot be removed.
  static absl::StatusOr<std::unique_ptr<ExportFolder>> Open(
      const std::string& path, const internal::ExportRequest& request,
      std::int64_t part_bytes);

  // Removes the folder if it was created and nothing was written.
  ~ExportFolder();
  ExportFolder(const ExportFolder&) = delete;
  ExportFolder& operator=(const ExportFolder&) = delete;

  const ExportRows& rows() const { return rows_; }
  const internal::ExportManifest& manifest() const { return manifest_; }

  // Returns the position of the last row that was added or found; nullopt if
  // there is none.
  const std::optional<ExportPosition>& last() const { return last_; }

  // Returns the sum of all rows.
  const UsageSum& sum() const { return sum_; }

  // Adds the next row, unless it is at or before last(). Errors: INTERNAL if a
  // file cannot be written, for example because the disk is full: the rows
  // since the last part are then lost.
  absl::Status Add(const ExportRow& row);

  // Writes the rows since the last part. Errors: those of Add.
  absl::Status WritePart();

  // Marks the export as complete. Errors: those of Add.
  absl::Status Complete();

 private:
  struct Lock;

  ExportFolder(std::string path, const internal::ExportRequest& request,
               std::int64_t part_bytes);

  absl::Status Resume(internal::ExportManifest manifest);
  absl::Status WriteManifest();

  const std::string path_;
  const ExportRows rows_;
  const std::int64_t part_bytes_;
  std::unique_ptr<Lock> lock_;
  bool is_new_ = false;
  internal::ExportManifest manifest_;
  std::optional<ExportPosition> last_;
  UsageSum sum_;
  std::string part_;  // the rows since the last part
  std::int64_t part_rows_ = 0;
};

// The contents of a folder.
struct ExportCheck {
  internal::ExportManifest manifest;
  std::int64_t row_count = 0;
  std::optional<ExportPosition> last;
  UsageSum sum;
  std::vector<std::string> problems;  // one line each
};

// Reads an export, and compares its parts with its manifest: their number of
// rows, sizes, checksums, order and sums. Changes nothing.
//
// Errors: those of FileError, or DATA_LOSS, if there is no manifest that can be
// read; FAILED_PRECONDITION if the manifest has another version.
absl::StatusOr<ExportCheck> CheckExport(const std::string& path);

// Returns the differences between sums, one line for each number, such as
// "input_tokens: expected 120, found 119".
std::vector<std::string> Differences(const UsageSum& expected,
                                     const UsageSum& found);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_EXPORT_FOLDER_H_
