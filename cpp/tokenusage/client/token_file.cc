// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/token_file.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(
    const std::string& path) {
  std::unique_ptr<TokenFile> file(new TokenFile(path));
  TOKENUSAGE_RETURN_IF_ERROR(file->Read());
  return file;
}

TokenFile::Version TokenFile::CurrentVersion() const {
  struct stat stat = {};
  if (::stat(path_.c_str(), &stat) != 0) return version_;
  return {static_cast<std::int64_t>(stat.st_ino), stat.st_size,
          stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec};
}

absl::Status TokenFile::Read() {
  const Version version = CurrentVersion();
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string token, ReadFile(path_));
  absl::StripAsciiWhitespace(&token);
  const bool is_token =
      !token.empty() && std::all_of(token.begin(), token.end(),
                                    [](char c) { return c > ' ' && c <= '~'; });
  if (!is_token) {
    return absl::InvalidArgumentError(
        "token_file: expected one token, found something else in " + path_);
  }
  token_ = std::move(token);
  version_ = version;
  return absl::OkStatus();
}

std::string TokenFile::Get() {
  const std::lock_guard lock(mutex_);
  if (CurrentVersion() != version_) Read().IgnoreError();
  return token_;
}

}  // namespace tokenusage
