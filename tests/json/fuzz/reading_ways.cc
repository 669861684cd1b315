#include "tests/json/fuzz/reading_ways.h"

#include <cstddef>
#include <memory>
#include <string_view>

#include "google/protobuf/arena.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using google::protobuf::Message;
using json_internal::PathChoice;

// The document and its padding, which holds what could pass for the rest of it.
std::string Padded(std::string_view json) {
  constexpr std::string_view kRests[] = {"}}}}", "0",    "\"",  " ", ":1}",
                                         "\\",   "\xFF", ",\n", "e", "]}"};
  const std::string_view rest = kRests[json.size() % 10];
  std::string text(json);
  while (text.size() < json.size() + kJsonPadding) text += rest;
  text.resize(json.size() + kJsonPadding);
  return text;
}

}  // namespace

ScopedPath::ScopedPath(PathChoice path)
    : path_before_(json_internal::path_choice),
      avx2_before_(json_internal::may_use_avx2) {
  json_internal::path_choice = path;
  if (path == PathChoice::kPortable) json_internal::may_use_avx2 = false;
}

ScopedPath::~ScopedPath() {
  json_internal::path_choice = path_before_;
  json_internal::may_use_avx2 = avx2_before_;
}

void OnEveryPath(const std::vector<const Message*>& prototypes,
                 const std::function<void(const std::string& path,
                                          const Message& prototype)>& call) {
  const struct {
    const char* name;
    PathChoice path;
  } kPaths[] = {{"fastest", PathChoice::kFastest},
                {"table", PathChoice::kTable},
                {"portable", PathChoice::kPortable},
                {"reflection", PathChoice::kReflection}};
  for (const auto& [name, path] : kPaths) {
    const ScopedPath scoped(path);
    call(name, *prototypes.front());
  }
  // Those of classes made at run time have no table.
  call("without a table", *prototypes.back());
}

void ReadInEveryWay(
    const DocumentInput& input, const std::function<void(Message*)>& prepare,
    const std::function<void(const std::string&, const absl::Status&,
                             const Message&)>& check) {
  JsonParseOptions options;
  options.strict = input.strict;
  const std::string padded = Padded(input.json);
  OnEveryPath(
      input.prototypes, [&](const std::string& path, const Message& prototype) {
        const std::unique_ptr<Message> message(prototype.New());
        prepare(message.get());
        if (!input.path.empty()) {
          const absl::Status status =
              ParseJsonAt(input.json, input.path, message.get(), options);
          return check("ParseJsonAt, " + path, status, *message);
        }
        check("ParseJson, " + path,
              ParseJson(input.json, message.get(), options), *message);
        prepare(message.get());
        const std::string_view json(padded.data(), input.json.size());
        check("ParsePaddedJson, " + path,
              ParsePaddedJson(json, message.get(), options), *message);
        google::protobuf::Arena arena;
        Message* const on_arena = prototype.New(&arena);
        prepare(on_arena);
        check("ParseJson on an arena, " + path,
              ParseJson(input.json, on_arena, options), *on_arena);
      });
}

}  // namespace testing
}  // namespace tokenusage
