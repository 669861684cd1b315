// SPDX-License-Identifier: Apache-2.0
//
// The inputs of the fuzzers that read documents: two characters that say how to
// read, then the document. See corpus/documents.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_INPUT_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_INPUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace tokenusage {
namespace testing {

struct DocumentInput {
  // Empty messages to call New() of: the compiled-in class, and the class made
  // at run time from the same descriptor.
  std::vector<const ::google::protobuf::Message*> prototypes;
  bool strict = false;
  std::string_view path;  // for ParseJsonAt; empty: the document itself
  std::string_view json;
};

// Returns the message types of the fuzzers, by their letters: 'A' is the first.
const std::vector<std::string>& FuzzedTypes();

// Returns the empty messages of FuzzedTypes()[type].
const std::vector<const ::google::protobuf::Message*>& PrototypesOf(
    std::size_t type);

// Returns the input that `data` encodes; any bytes are valid. The first
// character is the type's letter. The second is a digit: odd digits are strict,
// and digits from '2' on read at a path. The result refers to `data`.
DocumentInput ReadDocumentInput(std::string_view data);

// Returns the golden documents as inputs, and some of them inside larger ones.
std::vector<std::string> GoldenInputs();

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_INPUT_H_
