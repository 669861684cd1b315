// Messages to read into before the caller's own is touched, used again and
// again.

#ifndef TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_
#define TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_

#include "google/protobuf/message.h"
#include "tokenusage/json/message_table.h"

namespace tokenusage {
namespace json_internal {

// A message of the table's class, with anything in it. It belongs to this
// thread, which must be done with it when it asks again.
google::protobuf::Message* ScratchMessage(const MessageTable& table);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_
