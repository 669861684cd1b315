// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/document_input.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "tests/json/goldens.h"
#include "tests/json/messages.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

constexpr std::string_view kPaths[] = {"", "usage", "a.b", "response.usage",
                                       "."};
constexpr std::size_t kPathCount = sizeof(kPaths) / sizeof(kPaths[0]);

std::string Header(std::size_t type, std::size_t path, bool strict) {
  return {static_cast<char>('A' + type),
          static_cast<char>('0' + 2 * path + (strict ? 1 : 0))};
}

std::vector<const Message*> NewPrototypes(const std::string& type) {
  std::vector<const Message*> prototypes;
  for (auto& message : NewMessages(type)) {
    prototypes.push_back(message.release());  // lives as long as the program
  }
  return prototypes;
}

}  // namespace

const std::vector<std::string>& FuzzedTypes() {
  static const auto* const types = new std::vector<std::string>{
      "tokenusage.orq.v2.PostV2ProxyImagesEditsUsage",
      "tokenusage.testing.Singular",
      "tokenusage.testing.Repeated",
      "tokenusage.testing.Maps",
      "tokenusage.testing.Choice",
      "tokenusage.testing.Tree",
      "tokenusage.testing.WireNames",
      "tokenusage.testing.Wide",
      "tokenusage.testing.Plain",
      "tokenusage.v1.UsageRecord",
      "tokenusage.orq.v2.PostV2ProxyImagesVariationsUsage",
      "tokenusage.testing.RequiredLabel",
  };
  return *types;
}

const std::vector<const Message*>& PrototypesOf(std::size_t type) {
  static const auto* const prototypes = [] {
    auto* const all = new std::vector<std::vector<const Message*>>;
    for (const std::string& name : FuzzedTypes()) {
      all->push_back(NewPrototypes(name));
    }
    return all;
  }();
  return (*prototypes)[type];
}

DocumentInput ReadDocumentInput(std::string_view data) {
  const auto letter = [data](std::size_t at, char first) -> std::size_t {
    return at < data.size() ? static_cast<unsigned char>(data[at] - first) : 0;
  };
  DocumentInput input;
  input.prototypes = PrototypesOf(letter(0, 'A') % FuzzedTypes().size());
  const std::size_t mode = letter(1, '0') % (2 * kPathCount);
  input.strict = mode % 2 == 1;
  input.path = kPaths[mode / 2];
  input.json = data.substr(std::min<std::size_t>(data.size(), 2));
  return input;
}

std::vector<std::string> GoldenInputs() {
  const std::vector<std::string>& types = FuzzedTypes();
  std::vector<std::string> inputs = {"L0{\"tokens\":1.5,\"other\":7}",
                                     "L0{\"other\":null,\"tokens\":\"2\"}"};
  for (const Golden& golden : ReadGoldens()) {
    const auto type = static_cast<std::size_t>(
        std::find(types.begin(), types.end(), golden.message_type) -
        types.begin());
    if (type == types.size()) continue;
    inputs.push_back(Header(type, 0, golden.strict) + golden.json);
    if (golden.name.substr(0, 11) == "valid/edits") {
      inputs.push_back(Header(type, 1, false) +
                       "{\"data\":[{\"x\":\"AAAA\"}]," +
                       "\"usage\":" + golden.json + "}");
      inputs.push_back(Header(type, 3, true) + "{\"response\":{\"usage\":" +
                       golden.json + ",\"x\":1},\"y\":null}");
    }
  }
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage
