// SPDX-License-Identifier: Apache-2.0

// Comma-separated values (RFC 4180, with a line feed at the end of each line)
// that spreadsheets may open.
//
//   std::string text = CsvLine({"acme, inc", std::nullopt, "12.5"});
//   CsvReader reader(text);
//   std::vector<CsvField> fields;
//   TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, reader.Next(&fields));
//
// A missing value is an empty field, and an empty text is a pair of quotes, as
// PostgreSQL reads and writes them.
//
// A spreadsheet runs text that begins with = + - @, a tab or a carriage return
// as a formula, with the rights of the user who opens it. CsvLine puts an
// apostrophe in front of such text, and of text that begins with an apostrophe;
// CsvReader removes it.

#ifndef TOKENUSAGE_CLI_CSV_H_
#define TOKENUSAGE_CLI_CSV_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// A value, or nullopt if it is missing.
using CsvField = std::optional<std::string>;

// Returns a line, with its line feed. Thread-safe.
std::string CsvLine(const std::vector<CsvField>& fields);

// Reads what CsvLine writes. Not thread-safe.
class CsvReader {
 public:
  // `text` must outlive the reader.
  explicit CsvReader(std::string_view text) : rest_(text) {}

  // Reads the next line. Returns false if there is none.
  //
  // Errors: INVALID_ARGUMENT if a quote is where none may be, or the last line
  // is cut.
  absl::StatusOr<bool> Next(std::vector<CsvField>* fields);

 private:
  absl::StatusOr<CsvField> ReadField();
  absl::Status ReadQuoted(std::string* text);

  std::string_view rest_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CSV_H_
