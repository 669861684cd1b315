// SPDX-License-Identifier: Apache-2.0

#include "tests/json/error_names.h"

namespace tokenusage {
namespace testing {

std::string ErrorKindName(JsonError::Kind kind) {
  switch (kind) {
    case JsonError::Kind::kSyntax:
      return "kSyntax";
    case JsonError::Kind::kWrongType:
      return "kWrongType";
    case JsonError::Kind::kOutOfRange:
      return "kOutOfRange";
    case JsonError::Kind::kMissingField:
      return "kMissingField";
    case JsonError::Kind::kNullValue:
      return "kNullValue";
    case JsonError::Kind::kDuplicateName:
      return "kDuplicateName";
    case JsonError::Kind::kUnknownField:
      return "kUnknownField";
    case JsonError::Kind::kTooDeep:
      return "kTooDeep";
    case JsonError::Kind::kNotRepresentable:
      return "kNotRepresentable";
  }
  return "";
}

}  // namespace testing
}  // namespace tokenusage
