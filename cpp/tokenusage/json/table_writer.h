// Writes a generated message as JSON by the message's table.

#ifndef TOKENUSAGE_JSON_TABLE_WRITER_H_
#define TOKENUSAGE_JSON_TABLE_WRITER_H_

#include <string>

#include "google/protobuf/message.h"
#include "tokenusage/json/message_table.h"

namespace tokenusage {
namespace json_internal {

// Appends the message's JSON to `out`. Where that is an error this returns
// false, and WriteDocument of writer.h must be asked for the reason; `out` then
// holds what came before it.
bool WriteByTable(const google::protobuf::Message& message,
                  const MessageTable& table, std::string* out);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_TABLE_WRITER_H_
