// SPDX-License-Identifier: Apache-2.0

// Reads input files and standard input.

#ifndef TOKENUSAGE_CLI_INPUT_H_
#define TOKENUSAGE_CLI_INPUT_H_

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// An input that is read as a whole or line by line. Memory is bounded by the
// limits of the calls. Not thread-safe.
class Input {
 public:
  // Opens a file, or standard input if `path` is "-".
  //
  // Errors: INVALID_ARGUMENT, naming the file and the system's reason.
  static absl::StatusOr<Input> Open(const std::string& path);

  // Returns the file's name, or "standard input".
  const std::string& name() const { return name_; }

  // Reads the next line, without its line feed. Returns false at the end of the
  // input.
  //
  // Errors: INVALID_ARGUMENT if reading fails. OUT_OF_RANGE if the line is
  // longer than `max_bytes`; the line is skipped, and reading can continue. The
  // message lacks the line's place, which the caller knows.
  absl::StatusOr<bool> ReadLine(std::size_t max_bytes, std::string* line);

  // Returns the rest of the input.
  //
  // Errors: INVALID_ARGUMENT if reading fails, or the rest is longer than
  // `max_bytes`.
  absl::StatusOr<std::string> ReadAll(std::size_t max_bytes);

  // Returns the fraction of the input that was read, if it is a file whose size
  // is known.
  std::optional<double> FractionRead() const;

 private:
  struct Closer {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };

  Input(std::string name, std::FILE* file)
      : name_(std::move(name)), file_(file) {}

  std::string name_;
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_INPUT_H_
