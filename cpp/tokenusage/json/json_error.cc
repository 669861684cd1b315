// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/json_error.h"

#include <cstdint>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tokenusage {
namespace {

constexpr char kPayloadType[] = "tokenusage/JsonError";

// Separates the payload's parts. No part contains it: excerpts of the input
// have their control characters escaped.
constexpr char kSeparator[] = "\n";

std::string ErrorText(const JsonError& error) {
  std::string text;
  if (!error.field_path.empty()) absl::StrAppend(&text, error.field_path, ": ");
  absl::StrAppend(&text, "expected ", error.expected, ", found ", error.found);
  if (error.line != 0) {
    absl::StrAppend(&text, " (line ", error.line, ", column ", error.column,
                    ")");
  }
  return text;
}

}  // namespace

absl::Status JsonErrorStatus(const JsonError& error) {
  absl::Status status = absl::InvalidArgumentError(ErrorText(error));
  const std::string numbers =
      absl::StrJoin({static_cast<std::size_t>(error.kind), error.line,
                     error.column, error.byte_offset},
                    kSeparator);
  status.SetPayload(kPayloadType,
                    absl::Cord(absl::StrJoin({numbers, error.field_path,
                                              error.expected, error.found},
                                             kSeparator)));
  return status;
}

std::optional<JsonError> GetJsonError(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadType);
  if (!payload.has_value()) return std::nullopt;
  const std::vector<std::string> parts =
      absl::StrSplit(std::string(*payload), kSeparator);
  JsonError error;
  int kind = 0;
  uint64_t line = 0, column = 0, byte_offset = 0;
  if (parts.size() != 7 || !absl::SimpleAtoi(parts[0], &kind) || kind < 0 ||
      kind > static_cast<int>(JsonError::Kind::kNotRepresentable) ||
      !absl::SimpleAtoi(parts[1], &line) ||
      !absl::SimpleAtoi(parts[2], &column) ||
      !absl::SimpleAtoi(parts[3], &byte_offset)) {
    return std::nullopt;
  }
  error.kind = static_cast<JsonError::Kind>(kind);
  error.line = line;
  error.column = column;
  error.byte_offset = byte_offset;
  error.field_path = parts[4];
  error.expected = parts[5];
  error.found = parts[6];
  return error;
}

}  // namespace tokenusage
