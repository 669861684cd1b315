// SPDX-License-Identifier: Apache-2.0

// The fields of a message as text that the test of every language can make,
// independent of the encoding that it was read from.
//
//   message tokenusage.v1.MeasureTotal
//   rounded 3fb999999999999a
//   exact "0.1"
//
// There is a line for each set field and element, ordered by field number, then
// by index or key. A double is its bits in hexadecimal, an enum value its
// number. Quotes, backslashes and line feeds in strings are escaped by a
// backslash.

#ifndef TOKENUSAGE_TESTS_INTEROP_VALUES_H_
#define TOKENUSAGE_TESTS_INTEROP_VALUES_H_

#include <string>

#include "google/protobuf/message.h"

namespace tokenusage::interop {

// Returns this text for a message.
std::string ValuesOf(const ::google::protobuf::Message& message);

}  // namespace tokenusage::interop

#endif  // TOKENUSAGE_TESTS_INTEROP_VALUES_H_
