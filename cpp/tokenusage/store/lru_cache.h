// SPDX-License-Identifier: Apache-2.0

// A map of bounded size that drops the entries that were used least recently.
//
//   LruCache<std::int64_t> ids(/*max_size=*/1000);
//   ids.Insert("a", 1);
//   if (const std::int64_t* id = ids.Find("a")) Use(*id);

#ifndef TOKENUSAGE_STORE_LRU_CACHE_H_
#define TOKENUSAGE_STORE_LRU_CACHE_H_

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace tokenusage {

// One thread at a time.
template <typename Value>
class LruCache {
 public:
  // `max_size` is at least 1.
  explicit LruCache(std::size_t max_size) : max_size_(max_size) {}

  // Returns the value, or null if there is none. The pointer is valid until
  // Insert, Erase or Clear drops the entry.
  Value* Find(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  // Adds or replaces a value, and returns a pointer as Find does.
  Value* Insert(std::string_view key, Value value) {
    Erase(key);
    if (index_.size() == max_size_) Erase(entries_.back().first);
    entries_.emplace_front(std::string(key), std::move(value));
    index_.emplace(entries_.front().first, entries_.begin());
    return &entries_.front().second;
  }

  void Erase(std::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    entries_.erase(entry);
  }

  void Clear() {
    index_.clear();
    entries_.clear();
  }

  std::size_t size() const { return index_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  const std::size_t max_size_;
  Entries entries_;  // most recently used first
  absl::flat_hash_map<std::string_view, typename Entries::iterator> index_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_LRU_CACHE_H_
