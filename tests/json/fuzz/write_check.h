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

// Writes a message that `fill` fills, of each prototype. Calls FuzzFail()
// unless it is written as the reference writer does, byte for byte, or refused
// if that refuses it; and unless both readers read back what was written, bit
// for bit.
void CheckAgainstReferenceWriter(
    const std::vector<const ::google::protobuf::Message*>& prototypes,
    const std::function<void(::google::protobuf::Message* message)>& fill);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_WRITE_CHECK_H_
