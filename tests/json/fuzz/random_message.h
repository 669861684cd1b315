// SPDX-License-Identifier: Apache-2.0
//
// Messages made of a fuzzer's input.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_

#include "google/protobuf/message.h"
#include "tests/support/fuzzing/byte_source.h"

namespace tokenusage {
namespace testing {

// Fills an empty message with values made of `bytes`. Some have no JSON
// encoding, and a required field is seldom left out. Once all bytes are used,
// no further optional fields are chosen.
void FillMessage(ByteSource* bytes, ::google::protobuf::Message* message);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_
