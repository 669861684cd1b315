// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/reading_ways.h"

#include <cstring>
#include <memory>
#include <string_view>

#include "google/protobuf/arena.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

}  // namespace

void OnEveryEngine(const std::vector<const Message*>& prototypes,
                   const std::function<void(const std::string& engine,
                                            const Message& prototype)>& call) {
  call("generated code", *prototypes.front());
  // Classes made at run time have no generated code.
  call("Reflection", *prototypes.back());
}

void ReadInEveryWay(
    const DocumentInput& input, const std::function<void(Message*)>& prepare,
    const std::function<void(const std::string&, const absl::Status&,
                             const Message&)>& check) {
  JsonParseOptions options;
  options.strict = input.strict;
  // A block of exactly the document's size, for AddressSanitizer.
  const std::unique_ptr<char[]> block(new char[input.json.size()]);
  if (!input.json.empty()) {
    std::memcpy(block.get(), input.json.data(), input.json.size());
  }
  const std::string_view json(block.get(), input.json.size());
  OnEveryEngine(input.prototypes,
                [&](const std::string& engine, const Message& prototype) {
                  const std::unique_ptr<Message> message(prototype.New());
                  prepare(message.get());
                  if (!input.path.empty()) {
                    const absl::Status status =
                        ParseJsonAt(json, input.path, message.get(), options);
                    return check("ParseJsonAt, " + engine, status, *message);
                  }
                  check("ParseJson, " + engine,
                        ParseJson(json, message.get(), options), *message);
                  ::google::protobuf::Arena arena;
                  Message* const on_arena = prototype.New(&arena);
                  prepare(on_arena);
                  check("ParseJson on an arena, " + engine,
                        ParseJson(json, on_arena, options), *on_arena);
                });
}

}  // namespace testing
}  // namespace tokenusage
