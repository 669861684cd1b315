// SPDX-License-Identifier: Apache-2.0

// A database file that gets its name only once it is complete and on disk.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(const auto file, UnfinishedFile::For(path));
//   TOKENUSAGE_RETURN_IF_ERROR(Write(file->path()));
//   return file->Finish();

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_UNFINISHED_FILE_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_UNFINISHED_FILE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

class UnfinishedFile {
 public:
  // Chooses the name `destination`.new-PID. `destination` must be absolute.
  //
  // Errors: FAILED_PRECONDITION if there is a file of either name.
  static absl::StatusOr<std::unique_ptr<UnfinishedFile>> For(
      const std::string& destination);

  // Removes what a killed process left under the name that For would choose: in
  // a container, every run may have the same process id. Only for destinations
  // that no other process can be creating.
  static void RemoveLeftOver(const std::string& destination);

  // Removes the file, and what SQLite keeps beside it, unless it was finished.
  ~UnfinishedFile();
  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  const std::string& path() const { return path_; }

  // Syncs the file, gives it the name of the destination, and syncs the folder.
  //
  // Errors: those of FileError; FAILED_PRECONDITION if there is a file of that
  // name by now.
  absl::Status Finish();

 private:
  UnfinishedFile(std::string path, std::string destination)
      : path_(std::move(path)), destination_(std::move(destination)) {}

  const std::string path_;
  const std::string destination_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_UNFINISHED_FILE_H_
