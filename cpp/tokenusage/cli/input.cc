// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tokenusage {
namespace {

absl::Status ReadError(const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": cannot be read: ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<Input> Input::Open(const std::string& path) {
  if (path == "-") return Input("standard input", stdin);
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return ReadError(path);
  return Input(path, file);
}

absl::StatusOr<bool> Input::ReadLine(std::size_t max_bytes, std::string* line) {
  line->clear();
  bool too_long = false;
  int c;
  // getc_unlocked reads from stdio's buffer: as fast as reading blocks.
  while ((c = getc_unlocked(file_.get())) != EOF && c != '\n') {
    if (line->size() < max_bytes) {
      line->push_back(static_cast<char>(c));
    } else {
      too_long = true;
    }
  }
  if (std::ferror(file_.get())) return ReadError(name_);
  if (too_long) {
    return absl::OutOfRangeError(
        absl::StrCat("expected a line of at most ", max_bytes, " bytes"));
  }
  return c == '\n' || !line->empty();
}

std::optional<double> Input::FractionRead() const {
  struct stat stat;
  if (fstat(fileno(file_.get()), &stat) != 0 || !S_ISREG(stat.st_mode) ||
      stat.st_size == 0) {
    return std::nullopt;
  }
  return static_cast<double>(ftello(file_.get())) /
         static_cast<double>(stat.st_size);
}

absl::StatusOr<std::string> Input::ReadAll(std::size_t max_bytes) {
  std::string content;
  char block[1 << 16];
  while (content.size() <= max_bytes) {
    const std::size_t count = std::fread(block, 1, sizeof(block), file_.get());
    if (std::ferror(file_.get())) return ReadError(name_);
    if (count == 0) return content;
    content.append(block, count);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name_, ": expected at most ", max_bytes, " bytes"));
}

}  // namespace tokenusage
