// The C++ code of a message's table (tokenusage/json/message_table.h).

#ifndef TOKENUSAGE_JSON_PLUGIN_TABLE_CODE_H_
#define TOKENUSAGE_JSON_PLUGIN_TABLE_CODE_H_

#include <string>

#include "absl/status/status.h"
#include "tokenusage/json/message_plan.h"

namespace tokenusage {
namespace json_plugin {

// OK where the message has a table: few enough fields and oneofs.
absl::Status CheckTableLimits(const google::protobuf::Descriptor& message);

// The message's table and its registration. `alias` is a name for the message
// class in the code, and part of other names that stand beside it.
std::string TableCode(const google::protobuf::Descriptor& message,
                      const json_internal::MessagePlan& plan,
                      const std::string& alias);

}  // namespace json_plugin
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PLUGIN_TABLE_CODE_H_
