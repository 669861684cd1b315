// SPDX-License-Identifier: Apache-2.0
//
// Messages made of a fuzzer's input.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_

#include "google/protobuf/message.h"
#include "tests/support/fuzzing/byte_source.h"

namespace tokenusage {
namespace testing {

// Fills an empty message by the bytes: any values of any fields, among them
// some that have no JSON encoding, and seldom without a required field. Ends
// when the bytes do.
void FillMessage(ByteSource* bytes, ::google::protobuf::Message* message);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_RANDOM_MESSAGE_H_
