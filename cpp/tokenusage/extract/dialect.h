// SPDX-License-Identifier: Apache-2.0

// The endpoints whose responses can be read: see usage_extractor.h.
//
//   const Dialect* dialect = FindDialect("openai.chat");
//   if (dialect == nullptr) return absl::InvalidArgumentError("no dialect");
//
// The dialect of a response is chosen by configuration and never guessed: the
// same names mean different things to different providers.

#ifndef TOKENUSAGE_EXTRACT_DIALECT_H_
#define TOKENUSAGE_EXTRACT_DIALECT_H_

#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace tokenusage {

namespace extract_internal {
struct Layout;
}  // namespace extract_internal

// An endpoint of a provider. All strings live forever.
struct Dialect {
  // PROVIDER.ENDPOINT in lower snake case, such as `openai.chat`.
  std::string_view name;

  // UsageRecord.provider and .operation of its records. A copy of the dialect
  // may have others. The provider is empty if several share the dialect.
  std::string_view provider;
  std::string_view operation;

  // The member of UsageRecord's oneof `usage` that holds its usage.
  const ::google::protobuf::FieldDescriptor* usage_field;

  // True if each line of a JSON Lines file is an event of a stream, not a
  // response.
  bool streams_lines;

  // The places of usage, id and model in its responses.
  const extract_internal::Layout* layout;
};

// Returns the dialect of this name, or null. Thread-safe.
const Dialect* FindDialect(std::string_view name);

// Returns all dialects, sorted by name. Thread-safe.
const std::vector<Dialect>& Dialects();

}  // namespace tokenusage

#endif  // TOKENUSAGE_EXTRACT_DIALECT_H_
