// Writes a message as JSON by its plan.

#ifndef TOKENUSAGE_JSON_WRITER_H_
#define TOKENUSAGE_JSON_WRITER_H_

#include <string>

#include "google/protobuf/message.h"
#include "tokenusage/json/fault.h"
#include "tokenusage/json/message_plan.h"

namespace tokenusage {
namespace json_internal {

// Appends the message's JSON to `out`. False on an error, which is described in
// `fault`; `out` then holds what came before it.
bool WriteDocument(const google::protobuf::Message& message,
                   const MessagePlan& plan, std::string* out, Fault* fault);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_WRITER_H_
