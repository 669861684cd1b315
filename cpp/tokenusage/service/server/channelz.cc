// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/channelz.h"

#include <optional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "grpc/grpc.h"
#include "grpc/support/alloc.h"

namespace tokenusage {
namespace {

// Takes the text that gRPC has allocated.
std::string Take(char* json) {
  std::string text = json == nullptr ? "" : json;
  gpr_free(json);
  return text;
}

// Reads the strings of JSON that have a certain key, one after the other. gRPC
// writes channelz without spaces, numbers as strings, and nothing that it would
// have to escape in what is read here.
class Strings {
 public:
  Strings(std::string_view json, std::string_view key)
      : json_(json), start_("\"" + std::string(key) + "\":\"") {}

  std::optional<std::string_view> Next() {
    const std::size_t at = json_.find(start_);
    if (at == std::string_view::npos) return std::nullopt;
    json_.remove_prefix(at + start_.size());
    return json_.substr(0, json_.find('"'));
  }

 private:
  std::string_view json_;
  const std::string start_;
};

std::int64_t NumberOf(std::optional<std::string_view> text) {
  std::int64_t number = 0;
  if (!text || !absl::SimpleAtoi(absl::string_view(text->data(), text->size()),
                                 &number)) {
    return 0;
  }
  return number;
}

std::int64_t Sum(std::string_view json, std::string_view key) {
  std::int64_t sum = 0;
  Strings numbers(json, key);
  while (const auto number = numbers.Next()) sum += NumberOf(number);
  return sum;
}

}  // namespace

std::int64_t UnfinishedCalls() {
  const std::string servers = Take(grpc_channelz_get_servers(0));
  return Sum(servers, "callsStarted") - Sum(servers, "callsSucceeded") -
         Sum(servers, "callsFailed");
}

absl::flat_hash_map<std::string, std::intptr_t> ServerSockets() {
  absl::flat_hash_map<std::string, std::intptr_t> sockets;
  const std::string servers = Take(grpc_channelz_get_servers(0));
  Strings server_ids(servers, "serverId");
  while (const auto server = server_ids.Next()) {
    std::intptr_t last = -1;
    for (bool is_at_end = false; !is_at_end;) {
      const std::string page =
          Take(grpc_channelz_get_server_sockets(NumberOf(server), last + 1, 0));
      is_at_end = true;
      Strings names(page, "name");  // "chttp2 ipv4:127.0.0.1:54321"
      Strings ids(page, "socketId");
      while (const auto id = ids.Next()) {
        const std::string_view name = names.Next().value_or("");
        last = NumberOf(id);
        // The newest connection of a peer is the last one.
        sockets[std::string(name.substr(name.rfind(' ') + 1))] = last;
        is_at_end = false;
      }
    }
  }
  return sockets;
}

std::int64_t StartedStreams(std::intptr_t socket) {
  const std::string json = Take(grpc_channelz_get_socket(socket));
  return NumberOf(Strings(json, "streamsStarted").Next());
}

}  // namespace tokenusage
