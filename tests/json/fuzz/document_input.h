// SPDX-License-Identifier: Apache-2.0
//
// The inputs of the fuzzers that read documents: two letters that say how to
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

// Returns the empty messages of the n-th type.
const std::vector<const ::google::protobuf::Message*>& PrototypesOf(
    std::size_t type);

// The first letter is the type's; of the second, '0' to '9', odd ones are
// strict, and from '2' on it reads at a path. Any bytes are an input.
DocumentInput ReadDocumentInput(std::string_view data);

// Returns the golden documents as inputs, and some of them inside larger ones.
std::vector<std::string> GoldenInputs();

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_INPUT_H_
