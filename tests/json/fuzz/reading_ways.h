// SPDX-License-Identifier: Apache-2.0
//
// All ways to read a document: with each function, and by each engine, which is
// generated code or Reflection. All must have the same result.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_READING_WAYS_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_READING_WAYS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/json/fuzz/document_input.h"

namespace tokenusage {
namespace testing {

// Calls `call` for each engine with its name and an empty message of a class
// that uses it.
void OnEveryEngine(
    const std::vector<const ::google::protobuf::Message*>& prototypes,
    const std::function<void(const std::string& engine,
                             const ::google::protobuf::Message& prototype)>&
        call);

// Reads the document in each way into a message that `prepare` has filled: at a
// path with ParseJsonAt, otherwise with ParseJson, also on an arena. `check`
// gets the way's name, the result, and the message.
void ReadInEveryWay(
    const DocumentInput& input,
    const std::function<void(::google::protobuf::Message* message)>& prepare,
    const std::function<void(const std::string& way, const absl::Status& status,
                             const ::google::protobuf::Message& message)>&
        check);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_READING_WAYS_H_
