// SPDX-License-Identifier: Apache-2.0
//
// Compares what the writer and the reference writer make of a message.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_WRITE_CHECK_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_WRITE_CHECK_H_

#include <functional>
#include <vector>

#include "google/protobuf/message.h"

namespace tokenusage {
namespace testing {

// Writes a message of each prototype, filled by `fill`. Calls FuzzFail() unless
// the result is that of the reference writer: the same bytes, which both
// readers read back bit for bit, or a refusal.
void CheckAgainstReferenceWriter(
    const std::vector<const ::google::protobuf::Message*>& prototypes,
    const std::function<void(::google::protobuf::Message* message)>& fill);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_WRITE_CHECK_H_
