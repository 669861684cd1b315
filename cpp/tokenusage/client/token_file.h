// SPDX-License-Identifier: Apache-2.0

// A file with a token that another program renews.

#ifndef TOKENUSAGE_CLIENT_TOKEN_FILE_H_
#define TOKENUSAGE_CLIENT_TOKEN_FILE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// Thread-safe.
class TokenFile {
 public:
  // Errors: those of ReadFile; INVALID_ARGUMENT if the file holds no token.
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(
      const std::string& path);

  // Returns the token that the file holds now. If it cannot be read, or holds
  // none, for instance while it is replaced, returns the last one.
  std::string Get();

 private:
  // The properties that change with the file: inode, size, time in seconds and
  // nanoseconds.
  using Version = std::array<std::int64_t, 4>;

  explicit TokenFile(const std::string& path) : path_(path) {}
  absl::Status Read();
  Version CurrentVersion() const;

  const std::string path_;
  std::mutex mutex_;  // guards the members below
  Version version_{};
  std::string token_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_TOKEN_FILE_H_
