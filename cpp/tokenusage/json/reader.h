// Reads a JSON document into a message by the message's plan.

#ifndef TOKENUSAGE_JSON_READER_H_
#define TOKENUSAGE_JSON_READER_H_

#include <string_view>

#include "google/protobuf/message.h"
#include "tokenusage/json/fault.h"
#include "tokenusage/json/message_plan.h"

namespace tokenusage {
namespace json_internal {

// Reads the object found under `path` in the document (member names joined by
// dots; empty for the document itself) into `message`, which is empty, and
// checks the rest. `strict` refuses members that are not declared. False on an
// error, which is described in `fault`; the message then holds what came before
// it.
bool ReadDocument(std::string_view json, std::string_view path,
                  const MessagePlan& plan, bool strict,
                  google::protobuf::Message* message, Fault* fault);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_READER_H_
