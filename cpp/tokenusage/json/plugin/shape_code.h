// The C++ code that reads and writes a message's exact shape (ExactShape in
// tokenusage/json/message_table.h).

#ifndef TOKENUSAGE_JSON_PLUGIN_SHAPE_CODE_H_
#define TOKENUSAGE_JSON_PLUGIN_SHAPE_CODE_H_

#include <string>
#include <vector>

#include "tokenusage/json/message_plan.h"

namespace tokenusage {
namespace json_plugin {

// Functions that an ExactShape names, and the ExactShape itself as an
// initializer. Messages of doubles, and of messages of such, have one; for
// others there is no code, and the initializer says so. `alias` is a name for
// the message class in the code, and part of the functions' names.
struct ShapeCode {
  std::string functions;
  std::string initializer;
  std::vector<int> first_numbers;  // FieldTable::first_number of each field
};

ShapeCode MakeShapeCode(const json_internal::MessagePlan& plan,
                        const std::string& alias);

}  // namespace json_plugin
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_PLUGIN_SHAPE_CODE_H_
