// A set of names out of a document, for finding duplicates.
//
// Names come from whoever sends the document, so the table hashes them with a
// key of this process: chosen names cannot be made to collide.

#ifndef TOKENUSAGE_JSON_NAME_SET_H_
#define TOKENUSAGE_JSON_NAME_SET_H_

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"

namespace tokenusage {
namespace json_internal {

// SipHash-2-4 of `text`. Thread-safe.
std::uint64_t SipHash(std::uint64_t key0, std::uint64_t key1,
                      std::string_view text);

class NameSet {
 public:
  // Adds a name; false where it is there already. `outlives` says whether the
  // name's bytes outlive the set; otherwise they are copied.
  bool Insert(std::string_view name, bool outlives);

 private:
  struct KeyedHash {
    std::size_t operator()(std::string_view name) const;
  };
  struct Table {
    absl::flat_hash_set<std::string_view, KeyedHash, std::equal_to<>> names;
    std::forward_list<std::string> copies;
  };

  // Few names are compared one by one, and need no memory.
  static constexpr std::size_t kFew = 8;
  struct Name {
    const char* data;
    std::size_t size;

    std::string_view text() const { return {data, size}; }
  };
  Name few_[kFew];  // set up as far as count_
  std::size_t count_ = 0;
  std::unique_ptr<Table> table_;
};

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NAME_SET_H_
