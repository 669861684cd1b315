// Reads a JSON document into a generated message by the message's table.

#ifndef TOKENUSAGE_JSON_TABLE_READER_H_
#define TOKENUSAGE_JSON_TABLE_READER_H_

#include <string_view>

#include "google/protobuf/message.h"
#include "tokenusage/json/message_table.h"

namespace tokenusage {
namespace json_internal {

struct TableReadOptions {
  bool strict = false;
  bool padded = false;  // kJsonPadding bytes behind the document may be read
};

// As ReadDocument of reader.h, which must be asked for the reason where this
// returns false: there is an error then, or something that is not read here.
// Where it returns true, ReadDocument would have read the same. The message may
// hold anything before: it is overwritten, so that its memory is used again.
bool ReadByTable(std::string_view json, std::string_view path,
                 const MessageTable& table, const TableReadOptions& options,
                 google::protobuf::Message* message);

// The same for a document with all fields of the table's ExactShape, in any
// order and with spaces, into the shape's numbers.
bool ReadNumbersByTable(std::string_view json, const MessageTable& table,
                        bool padded, double* numbers);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_TABLE_READER_H_
