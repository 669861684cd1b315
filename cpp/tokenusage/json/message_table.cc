#include "tokenusage/json/message_table.h"

#include <atomic>

#include "tokenusage/json/path_choice.h"

namespace tokenusage {
namespace json_internal {
namespace {

constexpr std::size_t kBuckets = 256;

// Lists of registrations by their types' addresses. They only ever grow, at
// their heads, so that readers need no lock. A class loaded twice may have two
// addresses: the other one is not found then, and Reflection serves it.
std::atomic<TableRegistration*> buckets[kBuckets];

std::atomic<TableRegistration*>& BucketOf(const std::type_info& type) {
  const auto address = reinterpret_cast<std::uintptr_t>(&type);
  return buckets[(address >> 4 ^ address >> 12) % kBuckets];
}

}  // namespace

TableRegistration::TableRegistration(const std::type_info& type,
                                     const MessageTable& table)
    : type_(type), table_(table) {
  std::atomic<TableRegistration*>& bucket = BucketOf(type);
  next_ = bucket.load(std::memory_order_relaxed);
  while (!bucket.compare_exchange_weak(next_, this, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

const MessageTable* FindTable(const Message& message) {
  if (path_choice == PathChoice::kReflection) return nullptr;
  const std::type_info& type = typeid(message);
  const TableRegistration* entry =
      BucketOf(type).load(std::memory_order_acquire);
  while (entry != nullptr && &entry->type_ != &type) entry = entry->next_;
  return entry == nullptr ? nullptr : &entry->table_;
}

}  // namespace json_internal
}  // namespace tokenusage
