// SPDX-License-Identifier: Apache-2.0
//
// The message types of the tests, by name, compiled in and dynamic.

#ifndef TOKENUSAGE_TESTS_JSON_MESSAGES_H_
#define TOKENUSAGE_TESTS_JSON_MESSAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"

namespace tokenusage {
namespace testing {

// Returns two new messages of the type `full_name`: first one of the
// compiled-in class, then one of a class made at run time from the same
// descriptor. Fails the test and returns none if there is no such type.
std::vector<std::unique_ptr<::google::protobuf::Message>> NewMessages(
    const std::string& full_name);

// Returns the message's binary encoding with maps in order: equal for messages
// that are equal bit for bit.
std::string Bits(const ::google::protobuf::Message& message);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_MESSAGES_H_
