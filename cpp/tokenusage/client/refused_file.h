// SPDX-License-Identifier: Apache-2.0

// The file refused.jsonl of a spool: the records that the service refused, with
// the reasons. docs/client.md describes it.

#ifndef TOKENUSAGE_CLIENT_REFUSED_FILE_H_
#define TOKENUSAGE_CLIENT_REFUSED_FILE_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/client/file_system.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Thread-safe.
class RefusedFile {
 public:
  // The first record creates the file. If `syncs`, each record is synced to
  // disk.
  RefusedFile(std::string folder, FileSystem* files, std::int64_t max_bytes,
              bool syncs)
      : folder_(std::move(folder)),
        files_(files),
        max_bytes_(max_bytes),
        syncs_(syncs) {}

  // Appends a serialized record. Returns whether the file had room. The file
  // may be moved away or deleted between two calls. Errors: those of FileError.
  absl::StatusOr<bool> Append(std::string_view record,
                              const v1::RecordError& error, absl::Time time);

 private:
  const std::string folder_;
  FileSystem* const files_;
  const std::int64_t max_bytes_;
  const bool syncs_;
  std::mutex mutex_;  // held by Append
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_REFUSED_FILE_H_
