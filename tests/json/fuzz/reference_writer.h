// SPDX-License-Identifier: Apache-2.0
//
// Another writer of the JSON mapping, for tests: slow, plain, and written from
// docs/json.md without the code of cpp/tokenusage/json.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_WRITER_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_WRITER_H_

#include <optional>
#include <string>

#include "google/protobuf/message.h"

namespace tokenusage {
namespace testing {

// Returns the message's JSON, or nullopt if the rules refuse the message.
std::optional<std::string> ReferenceWrite(
    const ::google::protobuf::Message& message);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_WRITER_H_
