// SPDX-License-Identifier: Apache-2.0
//
// A set of names in a document, for finding duplicates.
//
// Whoever sends the document chooses the names. A tree compares a name with
// O(log n) others, whatever they are; names could be chosen that make a hash
// table compare each with all others.

#ifndef TOKENUSAGE_JSON_INTERNAL_NAME_SET_H_
#define TOKENUSAGE_JSON_INTERNAL_NAME_SET_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/btree_set.h"

namespace tokenusage {
namespace json_internal {

class NameSet {
 public:
  // Adds a name; returns false if it is in the set already. `outlives` says
  // whether the name's bytes outlive the set; otherwise they are copied.
  bool Insert(std::string_view name, bool outlives) {
    if (rest_ == nullptr) {
      for (std::size_t i = 0; i < count_; ++i) {
        if (few_[i].text() == name) return false;
      }
      if (outlives && count_ < kFew) {
        few_[count_++] = {name.data(), name.size()};
        return true;
      }
      rest_ = std::make_unique<absl::btree_set<std::string>>();
      for (std::size_t i = 0; i < count_; ++i) rest_->emplace(few_[i].text());
    }
    return rest_->emplace(name).second;
  }

 private:
  struct Name {
    std::string_view text() const { return {data, size}; }

    const char* data;
    std::size_t size;
  };

  // Few names are compared one by one, without an allocation.
  static constexpr std::size_t kFew = 8;
  Name few_[kFew];  // the first count_ are set
  std::size_t count_ = 0;
  std::unique_ptr<absl::btree_set<std::string>> rest_;
};

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_NAME_SET_H_
