#include "tokenusage/json/scratch_message.h"

#include <cstddef>
#include <memory>

namespace tokenusage {
namespace json_internal {
namespace {

// More classes than a thread uses at a time; beyond, one gives way.
constexpr std::size_t kMessages = 16;

struct Entry {
  const MessageTable* table = nullptr;
  std::unique_ptr<Message> message;
};

struct Scratch {
  Entry entries[kMessages];
  std::size_t next = 0;
};

}  // namespace

Message* ScratchMessage(const MessageTable& table) {
  thread_local Scratch scratch;
  for (Entry& entry : scratch.entries) {
    if (entry.table == &table) return entry.message.get();
  }
  Entry& entry = scratch.entries[scratch.next++ % kMessages];
  entry.message.reset(table.create());
  entry.table = &table;
  return entry.message.get();
}

}  // namespace json_internal
}  // namespace tokenusage
