// Messages to read into before the caller's own is touched, used again and
// again.

#ifndef TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_
#define TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_

#include "google/protobuf/message.h"
#include "tokenusage/json/message_table.h"

namespace tokenusage {
namespace json_internal {

// An empty message of the table's class. It belongs to this thread, and stays
// what it is until the thread asks for another of that class.
google::protobuf::Message* ScratchMessage(const MessageTable& table);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_SCRATCH_MESSAGE_H_
