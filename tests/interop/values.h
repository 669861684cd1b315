// SPDX-License-Identifier: Apache-2.0

// The fields of a message as text that the test of every language can make,
// independent of the encoding that it was read from.
//
//   message tokenusage.v1.MeasureTotal
//   rounded 3fb99999a0000000
//   exact "0.1"
//
// A line for each set field and element, ordered by field number, then by index
// or key; a double is its bits, an enum value its number. Quotes, backslashes
// and line feeds in strings are escaped by a backslash.

#ifndef TOKENUSAGE_TESTS_INTEROP_VALUES_H_
#define TOKENUSAGE_TESTS_INTEROP_VALUES_H_

#include <string>

#include "google/protobuf/message.h"

namespace tokenusage::interop {

std::string ValuesOf(const ::google::protobuf::Message& message);

}  // namespace tokenusage::interop

#endif  // TOKENUSAGE_TESTS_INTEROP_VALUES_H_
