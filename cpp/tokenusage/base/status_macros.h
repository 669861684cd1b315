// SPDX-License-Identifier: Apache-2.0

// Early returns for absl::Status and absl::StatusOr.
//
//   absl::Status Open(const std::string& path) {
//     TOKENUSAGE_RETURN_IF_ERROR(CheckPath(path));
//     TOKENUSAGE_ASSIGN_OR_RETURN(File file, OpenFile(path));
//     return file.Lock();
//   }

#ifndef TOKENUSAGE_BASE_STATUS_MACROS_H_
#define TOKENUSAGE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"

// Returns the status from the function if it is an error.
#define TOKENUSAGE_RETURN_IF_ERROR(expression)         \
  do {                                                 \
    if (absl::Status tokenusage_status = (expression); \
        !tokenusage_status.ok()) {                     \
      return tokenusage_status;                        \
    }                                                  \
  } while (false)

#define TOKENUSAGE_MACRO_JOIN_(a, b) a##b
#define TOKENUSAGE_MACRO_NAME_(a, b) TOKENUSAGE_MACRO_JOIN_(a, b)

// Assigns the value of an absl::StatusOr, or returns its error. Expands to
// several statements: an `if` around it needs braces.
#define TOKENUSAGE_ASSIGN_OR_RETURN(declaration, expression)              \
  TOKENUSAGE_ASSIGN_OR_RETURN_(TOKENUSAGE_MACRO_NAME_(result_, __LINE__), \
                               declaration, expression)

#define TOKENUSAGE_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return std::move(result).status();                \
  declaration = *std::move(result)

#endif  // TOKENUSAGE_BASE_STATUS_MACROS_H_
